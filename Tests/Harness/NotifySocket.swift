// Owns: what a service manager would listen on. sd_notify(3).
import CLinux
import Glibc

public final class NotifySocket {
  public let path: String
  private let descriptor: Int32
  public private(set) var lines: [String] = []

  public init(_ path: String) throws {
    self.path = path
    descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    try demand(descriptor >= 0, "no Unix socket: errno \(errno)")
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let text = Array(path.utf8)
    // Safe: the path is shorter than the field, which is zero behind it.
    try unsafe withUnsafeMutableBytes(of: &address.sun_path) { (field: UnsafeMutableRawBufferPointer) in
      try demand(text.count < field.count, "the path is too long")
      unsafe field.copyBytes(from: text)
    }
    // Safe: an address of its own size.
    let code = unsafe withUnsafePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    try demand(code == 0, "cannot bind \(path): errno \(errno)")
  }

  deinit { _ = clinux_close(descriptor) }

  /// Takes what has come.
  public func poll() {
    while clinux_wait_readable(descriptor, 0) == 1 {
      var buffer = [UInt8](repeating: 0, count: 4096)
      // Safe: at most 4,096 bytes are written into 4,096.
      let count = unsafe clinux_receive(descriptor, &buffer, 4096)
      guard count > 0 else { return }
      lines += String(decoding: buffer.prefix(Int(count)), as: UTF8.self).split(separator: "\n").map(String.init)
    }
  }
}
