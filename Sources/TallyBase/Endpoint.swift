// Owns: where a host is reached: an IP address and a port, their text form, scope and group.
// Refuses to know: sockets and name resolution. RFC 4291 (IPv6), RFC 5952 (its text), RFC 6598 (100.64/10).

/// An IPv6 address, or an IPv4 address in its mapped form (::ffff:a.b.c.d).
@frozen
public struct Address: Hashable, Comparable, Sendable, BitwiseCopyable {
  public let high: UInt64
  public let low: UInt64

  public init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  public init(v4: UInt32) { self.init(high: 0, low: 0xffff_0000_0000 | UInt64(v4)) }

  /// The four bytes of an IPv4 address, most significant first; nil for IPv6.
  public var v4: UInt32? { high == 0 && low >> 32 == 0xffff ? UInt32(truncatingIfNeeded: low) : nil }
  public var isV4: Bool { v4 != nil }

  public static func < (left: Address, right: Address) -> Bool { (left.high, left.low) < (right.high, right.low) }

  /// How far an address reaches. An address of one scope is never passed on into another.
  public enum Scope: UInt8, Sendable, Comparable {
    case loopback, local, carrier, unique, global, none
    public static func < (left: Scope, right: Scope) -> Bool { left.rawValue < right.rawValue }
  }

  public var scope: Scope {
    if let v4 {
      switch v4 >> 24 {
      case 127: return .loopback
      case 10: return .local
      case 0, 224...255: return .none
      default: break
      }
      if v4 >> 20 == 0xac1 || v4 >> 16 == 0xc0a8 || v4 >> 16 == 0xa9fe { return .local }
      return v4 >> 22 == 0x191 ? .carrier : .global
    }
    if high == 0 && low == 1 { return .loopback }
    if high == 0 && low == 0 || high >> 56 == 0xff { return .none }
    if high >> 54 == 0x3fa { return .local }
    return high >> 57 == 0x7e ? .unique : .global
  }

  /// The block that one operator usually holds: IPv4 /24, IPv6 /48. Loopback addresses are groups of their own.
  public var group: Address {
    if scope == .loopback { return self }
    if let v4 { return Address(v4: v4 & 0xffff_ff00) }
    return Address(high: high & 0xffff_ffff_ffff_0000, low: 0)
  }
}

/// An address and a port. Text: `192.0.2.4:8255`, `[2001:db8::1]:8255`.
@frozen
public struct Endpoint: Hashable, Comparable, Sendable, BitwiseCopyable {
  public let address: Address
  public let port: UInt16

  public init(address: Address, port: UInt16) {
    self.address = address
    self.port = port
  }

  public static func < (left: Endpoint, right: Endpoint) -> Bool {
    (left.address, left.port) < (right.address, right.port)
  }
}

extension Address: CustomStringConvertible {
  /// RFC 5952 text; IPv4 dotted.
  public var description: String {
    if let v4 { return "\(v4 >> 24).\(v4 >> 16 & 255).\(v4 >> 8 & 255).\(v4 & 255)" }
    let groups = groups
    var best = 0..<0
    var start = 0
    while start < 8 {
      var end = start
      while end < 8 && groups[end] == 0 { end += 1 }
      if end - start > max(best.count, 1) { best = start..<end }
      start = max(end, start + 1)
    }
    let text = groups.map { String($0, radix: 16) }
    if best.isEmpty { return text.joined(separator: ":") }
    return text[..<best.lowerBound].joined(separator: ":") + "::" + text[best.upperBound...].joined(separator: ":")
  }

  private var groups: [UInt16] {
    (0..<8).map { UInt16(truncatingIfNeeded: ($0 < 4 ? high : low) >> UInt64(48 - 16 * ($0 % 4))) }
  }

  /// Reads dotted IPv4 or IPv6 text without a zone; nil for anything else, host names included.
  public init?(_ text: some StringProtocol) {
    if text.contains(":") {
      guard let address = Address.parseV6(String(text)) else { return nil }
      self = address
    } else {
      guard let v4 = Address.parseV4(text) else { return nil }
      self.init(v4: v4)
    }
  }

  static func parseV4(_ text: some StringProtocol) -> UInt32? {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 4 else { return nil }
    var value: UInt32 = 0
    for part in parts {
      guard part.utf8.allSatisfy({ 0x30...0x39 ~= $0 }), part == "0" || !part.hasPrefix("0"),
        let byte = UInt8(part)
      else { return nil }
      value = value << 8 | UInt32(byte)
    }
    return value
  }

  private static func parseV6(_ text: String) -> Address? {
    var tail: [UInt16] = []
    var body = text
    if body.contains(".") {
      guard let colon = body.lastIndex(of: ":"), let v4 = parseV4(body[body.index(after: colon)...]) else { return nil }
      tail = [UInt16(v4 >> 16), UInt16(v4 & 0xffff)]
      body = String(body[...colon])
      if body.hasSuffix("::") { body += "" } else { body.removeLast() }
    }
    var halves: [[UInt16]] = []
    if let gap = body.firstRange(of: "::") {
      halves = [body[..<gap.lowerBound], body[gap.upperBound...]].compactMap { words($0) }
      guard halves.count == 2 else { return nil }
    } else {
      guard let all = words(body[...]) else { return nil }
      halves = [all]
    }
    halves[halves.count - 1] += tail
    let given = halves.reduce(0) { $0 + $1.count }
    guard halves.count == 1 ? given == 8 : given < 8 else { return nil }
    let groups = halves.count == 1 ? halves[0] : halves[0] + Array(repeating: 0, count: 8 - given) + halves[1]
    let value = { (part: ArraySlice<UInt16>) in part.reduce(UInt64(0)) { $0 << 16 | UInt64($1) } }
    return Address(high: value(groups[..<4]), low: value(groups[4...]))
  }

  private static func words(_ text: Substring) -> [UInt16]? {
    if text.isEmpty { return [] }
    var result: [UInt16] = []
    for part in text.split(separator: ":", omittingEmptySubsequences: false) {
      guard (1...4).contains(part.utf8.count), part.utf8.allSatisfy({ $0 != 0x2b && $0 != 0x2d }),
        let word = UInt16(part, radix: 16)
      else { return nil }
      result.append(word)
    }
    return result.count <= 8 ? result : nil
  }
}

extension Endpoint: CustomStringConvertible {
  public var description: String { address.isV4 ? "\(address):\(port)" : "[\(address)]:\(port)" }

  /// Reads an address with its port, IPv6 in brackets; nil for anything else.
  public init?(_ text: some StringProtocol) {
    guard let colon = text.lastIndex(of: ":") else { return nil }
    let digits = text[text.index(after: colon)...]
    guard !digits.isEmpty, digits.utf8.allSatisfy({ 0x30...0x39 ~= $0 }), let port = UInt16(digits) else { return nil }
    var host = String(text[..<colon])
    if host.hasPrefix("[") && host.hasSuffix("]") {
      host = String(host.dropFirst().dropLast())
      guard host.contains(":") else { return nil }
    } else if host.contains(":") {
      return nil
    }
    guard let address = Address(host) else { return nil }
    self.init(address: address, port: port)
  }
}
