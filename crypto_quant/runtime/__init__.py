"""Step, drive, compose: the only place that knows which mode it is and joins the rooms."""
