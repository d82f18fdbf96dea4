// Owns: one file descriptor, closed exactly once. Refuses to know: what it is open on.
import CLinux
import Glibc

/// The sole owner of a descriptor. It cannot be copied, so it can be neither leaked nor closed twice.
public struct Descriptor: ~Copyable, Sendable {
  /// The kernel's number, valid as long as this value lives.
  public let number: CInt

  /// Takes over `number`. The caller must be its only owner.
  public init(taking number: CInt) {
    precondition(number >= 0, "a descriptor cannot be \(number)")
    self.number = number
  }

  deinit {
    // On Linux the descriptor is gone even when close reports EINTR or EIO: it is never tried again.
    let code = clinux_close(number)
    precondition(code != -EBADF, "descriptor \(number) was closed behind its owner's back")
  }

  /// Gives the number away without closing it.
  public consuming func release() -> CInt {
    let number = number
    discard self
    return number
  }
}
