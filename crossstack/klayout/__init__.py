"""CrossStack inside KLayout: what its package holds, and how the package is written."""

#: Written beside the LVS macro by `crossstack tech install`: where the program was. A KLayout
#: started from a desktop menu has a PATH that knows nothing of virtual environments.
PROGRAM_FILE = "program.txt"
