"""A pytest plugin: a property fails at the first case that it does not hold for."""

from hypothesis import Phase, settings

settings.register_profile(
    "unshrunk", settings.get_profile("ci"), phases=(Phase.explicit, Phase.generate)
)
