"""CrossStack inside KLayout: what its package holds, and how the package is written."""

from pathlib import Path

#: Written beside the LVS macro by `crossstack tech install`: where the program was. A KLayout
#: started from a desktop menu has a PATH that knows nothing of virtual environments.
PROGRAM_FILE = "program.txt"
#: Written beside it, where the package is of another process than the default: its name in the
#: copied tables, and what the program calls it (a name, or the folder of a user's own).
PROCESS_FILE = "process.txt"


def noted_process() -> tuple[str, str]:
    """Return the process that this package is of: its name in the copy, and for the program."""
    from ..pdk import DEFAULT

    noted = Path(__file__).parent / PROCESS_FILE
    if not noted.is_file():
        return DEFAULT, DEFAULT
    name, key = noted.read_text(encoding="utf-8").splitlines()
    return name, key
