"""Orders that sleeves send themselves, of any type: as they are, once."""

from __future__ import annotations

from crypto_quant.execution.tickets.tickets import NO_TICKETS, TicketPlan, Tickets

__all__ = ["NO_TICKETS", "TicketPlan", "Tickets"]
