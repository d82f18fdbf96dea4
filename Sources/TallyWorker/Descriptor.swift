// Owns: one open file descriptor each, closed when the last reference goes.

import Glibc

/// An open file descriptor. Close-on-exec; closed by `deinit`.
public final class Descriptor: Sendable {
  public let number: Int32

  /// Takes ownership of `number`.
  public init(_ number: Int32) {
    precondition(number >= 0, "descriptor \(number) is not open")
    self.number = number
  }

  deinit {
    // EINTR on close: Linux has closed it all the same.
    _ = close(number)
  }
}
