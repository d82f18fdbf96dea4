// The command line: parses its words and calls TallyCommands.
import Glibc
import TallyCommands

exit(Tally.carryOut(Array(CommandLine.arguments.dropFirst())))
