// Owns: the text of an invite. Refuses to know: who may invite, and what a name resolves to. DESIGN section 4.

import TallyBase
import TallyCrypto
import TallyWire

public enum InviteError: Error, Hashable, Sendable {
  /// Does not begin with `tally://`.
  case scheme
  /// Not a host's key before the `@`.
  case key
  case host
  case port
  case mesh
  /// Not 32 lower-case hexadecimal digits, or missing.
  case nonce
  case token
  /// Not 64 lower-case hexadecimal digits.
  case meshKey
  /// A parameter that this version does not know, or one given twice.
  case parameter(String)
  /// Longer than `GossipLimits.inviteByteCount` bytes, or not plain ASCII.
  case text

  /// What is wrong, for people.
  public var sentence: String {
    switch self {
    case .scheme: "an invite begins with tally://"
    case .key: "the part before @ is not a host's key (tal1…)"
    case .host: "the part behind @ is not a host name or an address (IPv6 stands in brackets)"
    case .port: "the port is not a number from 1 to 65535"
    case .mesh: "the mesh's name is not one of a-z, 0-9, '.', '-' (1 to 63 of them)"
    case .nonce: "nonce= must be 32 lower-case hexadecimal digits"
    case .token: "the token is not base64url"
    case .meshKey: "the part behind # is not a mesh key of 64 lower-case hexadecimal digits"
    case .parameter(let name): "the invite has a parameter that is unknown or given twice: \(name)"
    case .text: "an invite is one line of at most \(GossipLimits.inviteByteCount) plain characters"
    }
  }
}

/// `tally://KEY@HOST:PORT/MESH?nonce=…&token=…#MESHKEY`. KEY as `tal1…`; HOST a DNS name, an IPv4 address or an IPv6
/// address in brackets; nonce 32 and mesh key 64 lower-case hexadecimal digits; the token base64url. Without a port:
/// 8255; without a fragment: an open mesh. The mesh key is a secret: it stands in the fragment, which nothing sends.
public struct Invite: Hashable, Sendable {
  public static let defaultPort: UInt16 = 8255
  public let key: PublicKey
  /// An IP address without brackets, or a DNS name in lower case.
  public let host: String
  public let port: UInt16
  public let mesh: String
  /// 16 bytes.
  public let nonce: [UInt8]
  /// Base64url text (see `InviteToken`); nil: none.
  public let token: String?
  /// 32 bytes; nil: an open mesh.
  public let meshKey: [UInt8]?

  /// Fields outside their pattern are our own mistake and trap.
  public init(
    key: PublicKey, host: String, port: UInt16, mesh: String, nonce: [UInt8], token: String?, meshKey: [UInt8]?
  ) {
    precondition(Self.isHost(host) && port != 0, "invite to \(host):\(port)")
    precondition(Names.isMeshName(mesh) && nonce.count == 16, "invite into \(mesh) with \(nonce.count) bytes of nonce")
    precondition(meshKey.map { $0.count == 32 } ?? true, "a mesh key that is not 32 bytes")
    self.key = key
    self.host = host
    self.port = port
    self.mesh = mesh
    self.nonce = nonce
    self.token = token
    self.meshKey = meshKey
  }

  public var meshID: MeshID { Names.meshID(name: mesh, nonce: nonce) }

  /// The seed, when the host is an address and not a name.
  public var seed: Seed? {
    Address(host).map { Seed(key: key, endpoint: Endpoint(address: $0, port: port)) }
  }

  public var url: String {
    let place = host.contains(":") ? "[\(host)]" : host
    var text = "tally://\(KeyText.encode(key))@\(place):\(port)/\(mesh)?nonce=\(Hex.encode(nonce))"
    if let token { text += "&token=\(token)" }
    if let meshKey { text += "#\(Hex.encode(meshKey))" }
    return text
  }

  /// Reads an invite; space and newlines around it are taken off.
  public init(parsing text: String) throws(InviteError) {
    let bytes = Array(text.utf8)
    guard bytes.count <= GossipLimits.inviteByteCount else { throw .text }
    let isSpace: (UInt8) -> Bool = { $0 == 0x20 || (0x09...0x0d).contains($0) }
    let line = bytes.drop(while: isSpace).reversed().drop(while: isSpace).reversed()
    guard line.allSatisfy({ (0x21...0x7e).contains($0) }) else { throw .text }
    var rest = Substring(String(decoding: line, as: UTF8.self))
    guard rest.hasPrefix("tally://") else { throw .scheme }
    rest.removeFirst("tally://".count)
    let fragment = Self.cut(&rest, at: "#")
    let query = Self.cut(&rest, at: "?")
    guard let path = Self.cut(&rest, at: "/"), Names.isMeshName(String(path)) else { throw .mesh }
    guard let place = Self.cut(&rest, at: "@") else { throw .key }
    do { key = try KeyText.decode(String(rest)) } catch { throw .key }
    (host, port) = try Self.place(place)
    mesh = String(path)
    (nonce, token) = try Self.parameters(query ?? "")
    meshKey = try fragment.map { text throws(InviteError) in
      guard let key = Hex.decode(text), key.count == 32 else { throw .meshKey }
      return key
    }
  }

  /// Cuts `text` at the first `mark`: the part before stays, the part behind is returned; nil without a mark.
  private static func cut(_ text: inout Substring, at mark: Character) -> Substring? {
    guard let index = text.firstIndex(of: mark) else { return nil }
    defer { text = text[..<index] }
    return text[text.index(after: index)...]
  }

  private static func place(_ text: Substring) throws(InviteError) -> (String, UInt16) {
    var host = text
    var digits: Substring?
    if text.hasPrefix("[") {
      guard let end = text.firstIndex(of: "]") else { throw .host }
      host = text[text.index(after: text.startIndex)..<end]
      let tail = text[text.index(after: end)...]
      guard tail.isEmpty || tail.hasPrefix(":") else { throw .host }
      digits = tail.isEmpty ? nil : tail.dropFirst()
      guard host.contains(":") else { throw .host }
    } else if let colon = text.firstIndex(of: ":") {
      host = text[..<colon]
      digits = text[text.index(after: colon)...]
      guard digits?.contains(":") != true else { throw .host }
    }
    guard isHost(String(host)) else { throw .host }
    guard let digits else { return (String(host), defaultPort) }
    guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), !digits.hasPrefix("0"), let port = UInt16(digits)
    else { throw .port }
    return (String(host), port)
  }

  /// An IP address, or labels of a–z, 0–9 and '-' with dots between (RFC 1123), lower case.
  static func isHost(_ text: String) -> Bool {
    if let address = Address(text) { return address.scope != .none }
    guard (1...253).contains(text.utf8.count), !text.contains(":") else { return false }
    let labels = text.split(separator: ".", omittingEmptySubsequences: false)
    // Only digits and dots, and not an address: a mistyped address, not a name.
    guard labels.last.map({ !$0.utf8.allSatisfy { (0x30...0x39).contains($0) } }) ?? false else { return false }
    return labels.allSatisfy { label in
      (1...63).contains(label.utf8.count) && !label.hasPrefix("-") && !label.hasSuffix("-")
        && label.utf8.allSatisfy { (0x61...0x7a).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2d }
    }
  }

  private static func parameters(_ query: Substring) throws(InviteError) -> ([UInt8], String?) {
    var nonce: [UInt8]?
    var token: String?
    for parameter in query.split(separator: "&", omittingEmptySubsequences: false) {
      let parts = parameter.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      switch parts.first {
      case "nonce" where nonce == nil && parts.count == 2:
        guard let bytes = Hex.decode(parts[1]), bytes.count == 16 else { throw .nonce }
        nonce = bytes
      case "token" where token == nil && parts.count == 2:
        guard !parts[1].isEmpty, Base64URL.decode(parts[1]) != nil else { throw .token }
        token = String(parts[1])
      case "nonce", "token": throw .parameter(String(parts[0]))
      default:
        if query.isEmpty { throw .nonce }
        throw .parameter(String(parts.first ?? ""))
      }
    }
    guard let nonce else { throw .nonce }
    return (nonce, token)
  }
}
