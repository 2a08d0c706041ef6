"""Where the texts that people receive lie: in the wheel on a host, in the tree on a developer's."""

from pathlib import Path


def templates_dir() -> Path:
    """Return the folder `templates/`."""
    package = Path(__file__).resolve().parent
    packed = package / "_templates"
    return packed if packed.is_dir() else package.parent / "templates"
