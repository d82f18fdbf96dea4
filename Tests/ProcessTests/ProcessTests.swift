// Real daemons, as a user would have them: `tallyd` processes on loopback, watched through their admin sockets.
//
// How to run:
//   swift build --product tallyd && swift test --filter ProcessTests
//   swift test --filter ProcessTests/Convergence              one suite
//   swift test --filter 'ProcessTests/Restores/clones'        one test
// TALLY_BIN=DIR takes another build's tallyd; TALLY_TEST_PATIENCE=4 multiplies every deadline; a failed test keeps its
// directory with every data directory and log, and prints its path. `FIGURE` lines are measurements, `SKIP` lines say
// what could not run here. A test waits for conditions through the admin socket, never for a fixed time.
import Testing

/// One after the other: they measure, and they share two cores.
@Suite(.serialized) enum ProcessTests {}
