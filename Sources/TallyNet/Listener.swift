// Owns: one listening socket, TCP or Unix, and what happens when descriptors run out.
// Refuses to know: links and the poller.
import CLinux
import Glibc
import TallyBase

/// Accepts connections. It keeps one descriptor in reserve: when the process has none left, the reserve is given up
/// for a moment, so that the caller is answered with a close instead of being left to wait (libev's trick).
final class Listener {
  enum Kind: Equatable {
    case tcp
    case unix(label: Int)
  }

  enum Accepted: ~Copyable {
    case connection(Descriptor, remote: Endpoint)
    case nobody
    /// One caller was closed at once, for want of descriptors.
    case shed
    /// The next one may be luckier: it ended before we came, or the network passed on an old error.
    case failed
    /// Nothing can be accepted for a while.
    case exhausted
  }

  let kind: Kind
  let descriptor: Descriptor
  /// Removes the socket's file when the listener ends; nil for TCP and inherited sockets.
  let file: UnixSocketFile?
  private var reserve: Descriptor?

  init(_ kind: Kind, _ descriptor: consuming Descriptor, file: UnixSocketFile? = nil) throws(SystemError) {
    self.kind = kind
    self.descriptor = descriptor
    self.file = file
    reserve = Descriptor(taking: try required("open") { clinux_open_null() })
  }

  /// A TCP listener bound to `endpoint`.
  static func tcp(at endpoint: Endpoint) throws(SystemError) -> Listener {
    let socket = try InternetSocket.make(for: endpoint.address, isStream: true)
    let number = socket.descriptor.number
    try required("setsockopt") { clinux_set_reuse_address(number) }
    try socket.bind(endpoint)
    try required("listen") { clinux_listen(number, CInt(NetLimits.backlog)) }
    return try Listener(.tcp, socket.takeDescriptor())
  }

  func localEndpoint() throws(SystemError) -> Endpoint {
    let number = descriptor.number
    var name = clinux_endpoint()
    // Safe: the shim fills one struct.
    try required("getsockname") { unsafe clinux_local_endpoint(number, &name) }
    return Endpoint(name)
  }

  /// Takes one connection. Never throws: whatever accept says has a policy, and a listener outlives all of it.
  func accept() -> Accepted {
    do throws(SystemError) {
      return try acceptOne()
    } catch {
      switch error.code {
      case EMFILE, ENFILE: return shed()
      case ENOBUFS, ENOMEM: return .exhausted
      default: return .failed
      }
    }
  }

  private func acceptOne() throws(SystemError) -> Accepted {
    let number = descriptor.number
    var remote = clinux_endpoint()
    // Safe: the shim fills one struct.
    switch try syscall("accept4", { unsafe clinux_accept(number, &remote) }) {
    case .wouldBlock: return .nobody
    case .done(let made): return .connection(Descriptor(taking: CInt(made)), remote: Endpoint(remote))
    }
  }

  /// Gives up the reserve, accepts, closes at once and takes the reserve back.
  private func shed() -> Accepted {
    guard reserve != nil else {
      refillReserve()
      return .exhausted
    }
    reserve = nil
    var hasShed = false
    do throws(SystemError) {
      switch try acceptOne() {
      case .connection(let descriptor, _):
        _ = consume descriptor
        hasShed = true
      default: break
      }
    } catch {
      // Another thread took the descriptor in between (or ENFILE: the whole host has none): rest.
      hasShed = false
    }
    refillReserve()
    return hasShed && reserve != nil ? .shed : .exhausted
  }

  private func refillReserve() {
    let number = clinux_open_null()
    if number >= 0 { reserve = Descriptor(taking: number) }
  }
}
