"""The tested implementations behind the course *Deep Learning, Live*.

Nothing is imported here, so that ``import dlcourse`` is instant: import the module you want, as in ``from dlcourse import train``.
"""

__version__ = "0.1.0"
