// Owns: the process' signals as something to be read. Refuses to know: what they ask for.
import CLinux
import Glibc

/// Blocks the signals it is given and reads them from a descriptor. It must be made on the main thread before any other
/// thread starts, so that all inherit the mask: else the kernel may deliver one the old way.
final class SignalSource {
  let descriptor: Descriptor

  init(_ signals: [CInt]) throws(SystemError) {
    let count = CInt(signals.count)
    // Safe: the shim reads `count` numbers of the array.
    let number = try required("signalfd") { unsafe clinux_signal_descriptor(signals, count) }
    descriptor = Descriptor(taking: number)
  }

  /// The next signal that came, or nil.
  func next() throws(SystemError) -> CInt? {
    let number = descriptor.number
    switch try syscall("read", { clinux_next_signal(number) }) {
    case .done(let signal): return CInt(signal)
    case .wouldBlock: return nil
    }
  }
}
