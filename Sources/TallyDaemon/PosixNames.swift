// Owns: what the system says about names: groups' numbers and hosts' addresses. Refuses to know: who asks.
import CLinux
import Glibc
import TallyBase

enum PosixNames {
  /// The gid of a group in /etc/group; nil when it is not there.
  static func group(_ name: String) -> UInt32? {
    // Safe: Swift passes a NUL-terminated copy of the name for the call.
    UInt32(exactly: unsafe clinux_group_id(name))
  }

  /// The first address that the resolver gives; nil when it gives none. May take seconds.
  static func address(of host: String) -> Address? {
    // Safe: a structure of zeros and two numbers.
    var hints = unsafe addrinfo()
    unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    unsafe hints.ai_flags = AI_ADDRCONFIG
    var list: UnsafeMutablePointer<addrinfo>?
    // Safe: on success `list` is ours until it is freed below.
    guard unsafe getaddrinfo(host, nil, &hints, &list) == 0, let first = unsafe list else { return nil }
    defer { unsafe freeaddrinfo(list) }
    var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
    let room = socklen_t(text.count)
    // Safe: the address and its length come from the resolver; the buffer's room is passed.
    let result = unsafe getnameinfo(
      first.pointee.ai_addr, first.pointee.ai_addrlen, &text, room, nil, 0, NI_NUMERICHOST)
    guard result == 0 else { return nil }
    let bytes = text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
    return Address(String(decoding: bytes, as: UTF8.self))
  }
}
