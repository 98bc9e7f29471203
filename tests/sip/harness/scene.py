"""What a test says about itself to the runner."""


def scene(settings=None, switch=True, long=False, idle=False, heavy=False, within=60, start=True):
    """settings: --set of its switchd. switch=False: no switch at all; start=False: the test starts it.
    long: only with --long. idle: mostly waits, so it may run beside the others without a slot of its
    own. heavy: loads the machine, so it begins first. within: seconds until the runner ends it."""
    def mark(function):
        function.scene = dict(settings=settings or {}, switch=switch, long=long, idle=idle, heavy=heavy,
                              within=within, start=start)
        return function
    return mark


def of(function):
    return getattr(function, "scene", None) or scene()(lambda: None).scene


def live(*names):
    """This test shows that these parameters act, in their default and another value: tests/lint/marks.py reads it."""
    return lambda function: function
