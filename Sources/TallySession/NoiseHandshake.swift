// Owns: the Noise handshake (revision 34, section 5) with 25519, ChaChaPoly and BLAKE2b: one machine for all patterns.
// Refuses to know: packets, peers and time. Tally uses IKpsk2; the public vectors run the others through it.

import TallyBase
import TallyCrypto

/// A static X25519 key that never leaves its place.
protocol StaticKey: ~Copyable {
  var x25519Key: Bytes32 { get }
  borrowing func agree(with other: Bytes32) -> Bytes32?
}

extension Identity: StaticKey {}

enum NoiseError: Error, Hashable {
  /// A message shorter than its pattern asks for.
  case truncated
  /// Bytes that do not open.
  case badSeal
  /// A key of low order.
  case badKey
}

/// Section 7 and 9: which keys travel and mix, message by message.
struct NoisePattern: Hashable, Sendable {
  enum Token: Hashable, Sendable { case e, s, ee, es, se, ss, psk }
  let name: String
  let messages: [[Token]]
  /// Whether the initiator knows the responder's static key beforehand.
  let knowsResponder: Bool

  var hasPsk: Bool { messages.contains { $0.contains(.psk) } }
  var protocolName: String { "Noise_\(name)_25519_ChaChaPoly_BLAKE2b" }

  static let ik = NoisePattern(name: "IK", messages: [[.e, .es, .s, .ss], [.e, .ee, .se]], knowsResponder: true)
  static let ikPsk2 = NoisePattern(
    name: "IKpsk2", messages: [[.e, .es, .s, .ss], [.e, .ee, .se, .psk]], knowsResponder: true)
}

/// Section 5.1. A key and the number of messages sealed with it.
struct CipherState: Sendable {
  private let key: AEADKey
  private(set) var counter: UInt64

  init(key: [UInt8], counter: UInt64 = 0) {
    guard let raw = Bytes32(key.prefix(32)) else { preconditionFailure("a cipher key of \(key.count) bytes") }
    self.key = AEADKey(raw)
    self.counter = counter
  }

  var isExhausted: Bool { counter >= SessionLimits.counterEnd }

  mutating func seal(_ plain: [UInt8], associated: [UInt8], into out: inout [UInt8]) {
    AEAD.seal(plain, key: key, nonce: next(), associated: associated, into: &out)
  }

  mutating func seal(_ plain: [UInt8], behind packet: inout [UInt8]) {
    AEAD.seal(plain, behind: &packet, key: key, nonce: next())
  }

  mutating func open(_ sealed: [UInt8], associated: [UInt8]) -> [UInt8]? {
    guard let plain = AEAD.open(sealed, key: key, nonce: AEADNonce(counter: counter), associated: associated) else {
      return nil
    }
    counter += 1
    return plain
  }

  /// Opens the next packet in order.
  mutating func open(behind header: Int, of packet: [UInt8]) -> [UInt8]? {
    guard !isExhausted, let plain = open(behind: header, of: packet, counter: counter) else { return nil }
    counter += 1
    return plain
  }

  /// Opens a packet whose counter came with it.
  func open(behind header: Int, of packet: [UInt8], counter: UInt64) -> [UInt8]? {
    AEAD.open(behind: header, of: packet, key: key, nonce: AEADNonce(counter: counter))
  }

  private mutating func next() -> AEADNonce {
    precondition(!isExhausted, "sealed past the counter's end \(counter)")
    counter += 1
    return AEADNonce(counter: counter - 1)
  }
}

/// Section 5.2.
struct SymmetricState: Sendable {
  private var chainingKey: [UInt8]
  private(set) var hash: [UInt8]
  private var cipher: CipherState?

  init(protocolName: String) {
    let name = Array(protocolName.utf8)
    hash = name.count <= 64 ? name + [UInt8](repeating: 0, count: 64 - name.count) : Blake2b.hash512(name)
    chainingKey = hash
  }

  var hasKey: Bool { cipher != nil }

  mutating func mixHash(_ bytes: [UInt8]) { hash = Blake2b.hash512(hash, bytes) }

  mutating func mixKey(_ material: [UInt8]) {
    let output = NoiseHKDF.derive(chainingKey: chainingKey, material)
    chainingKey = output.first
    cipher = CipherState(key: output.second)
  }

  mutating func mixKeyAndHash(_ material: [UInt8]) {
    let output = NoiseHKDF.derive(chainingKey: chainingKey, material)
    chainingKey = output.first
    mixHash(output.second)
    cipher = CipherState(key: output.third)
  }

  mutating func seal(_ plain: [UInt8], into out: inout [UInt8]) {
    var sealed = plain
    if cipher != nil {
      sealed = []
      cipher?.seal(plain, associated: hash, into: &sealed)
    }
    mixHash(sealed)
    out.append(contentsOf: sealed)
  }

  mutating func open(_ sealed: [UInt8]) throws(NoiseError) -> [UInt8] {
    var plain = sealed
    if cipher != nil {
      guard let opened = cipher?.open(sealed, associated: hash) else { throw .badSeal }
      plain = opened
    }
    mixHash(sealed)
    return plain
  }

  /// The initiator's sending key, then the responder's.
  func split() -> (CipherState, CipherState) {
    let output = NoiseHKDF.derive(chainingKey: chainingKey, [])
    return (CipherState(key: output.first), CipherState(key: output.second))
  }
}

/// Section 5.3. Messages alternate, beginning with the initiator's.
struct NoiseHandshake: Sendable {
  enum Role: Sendable { case initiator, responder }

  private let pattern: NoisePattern
  private let role: Role
  private let psk: [UInt8]
  private var symmetric: SymmetricState
  private var ephemeral = Bytes32.zero
  private(set) var remoteStatic: Bytes32?
  private var remoteEphemeral: Bytes32?
  private var position = 0

  /// `localStatic` is our public key, which a responder's pattern may hash; `psk` is 32 bytes or, without one, empty.
  init(
    _ pattern: NoisePattern, role: Role, prologue: [UInt8], localStatic: Bytes32, remoteStatic: Bytes32?,
    psk: [UInt8]
  ) {
    precondition(psk.count == (pattern.hasPsk ? 32 : 0), "a psk of \(psk.count) bytes for \(pattern.name)")
    self.pattern = pattern
    self.role = role
    self.psk = psk
    self.remoteStatic = remoteStatic
    symmetric = SymmetricState(protocolName: pattern.protocolName)
    symmetric.mixHash(prologue)
    if pattern.knowsResponder {
      guard let known = role == .initiator ? remoteStatic : localStatic else {
        preconditionFailure("\(pattern.name) without the responder's key")
      }
      symmetric.mixHash(known.bytes)
    }
  }

  var handshakeHash: [UInt8] { symmetric.hash }
  var isComplete: Bool { position == pattern.messages.count }

  /// Appends our next message. `secret` is a fresh ephemeral secret.
  mutating func write(
    _ payload: [UInt8], ephemeral secret: Bytes32, key: borrowing some StaticKey & ~Copyable, into out: inout [UInt8]
  ) throws(NoiseError) {
    precondition(!isComplete && isOurTurn, "wrote message \(position) of \(pattern.name) as \(role)")
    for token in pattern.messages[position] {
      switch token {
      case .e:
        ephemeral = secret
        let bytes = X25519.publicKey(of: secret).bytes
        out.append(contentsOf: bytes)
        mixEphemeral(bytes)
      case .s:
        symmetric.seal(key.x25519Key.bytes, into: &out)
      default:
        try mix(token, key: key)
      }
    }
    symmetric.seal(payload, into: &out)
    position += 1
  }

  /// Takes the other side's next message and returns its payload.
  mutating func read(
    _ message: [UInt8], key: borrowing some StaticKey & ~Copyable
  ) throws(NoiseError) -> [UInt8] {
    precondition(!isComplete && !isOurTurn, "read message \(position) of \(pattern.name) as \(role)")
    var rest = message[...]
    for token in pattern.messages[position] {
      switch token {
      case .e:
        let bytes = try Self.take(32, from: &rest)
        remoteEphemeral = Bytes32(bytes)
        mixEphemeral(bytes)
      case .s:
        remoteStatic = Bytes32(try symmetric.open(try Self.take(symmetric.hasKey ? 48 : 32, from: &rest)))
      default:
        try mix(token, key: key)
      }
    }
    let payload = try symmetric.open(Array(rest))
    position += 1
    return payload
  }

  /// The keys of the session; call when complete.
  func split() -> (send: CipherState, receive: CipherState) {
    precondition(isComplete, "split after message \(position) of \(pattern.name)")
    let (first, second) = symmetric.split()
    return role == .initiator ? (first, second) : (second, first)
  }

  private var isOurTurn: Bool { position % 2 == (role == .initiator ? 0 : 1) }

  /// Section 9.2: with a psk the ephemeral key is mixed as key, too.
  private mutating func mixEphemeral(_ bytes: [UInt8]) {
    symmetric.mixHash(bytes)
    if pattern.hasPsk { symmetric.mixKey(bytes) }
  }

  private mutating func mix(
    _ token: NoisePattern.Token, key: borrowing some StaticKey & ~Copyable
  ) throws(NoiseError) {
    if token == .psk {
      symmetric.mixKeyAndHash(psk)
      return
    }
    // The first letter is the initiator's key, the second the responder's.
    let oursIsStatic = role == .initiator ? (token == .se || token == .ss) : (token == .es || token == .ss)
    let theirsIsStatic = role == .initiator ? (token == .es || token == .ss) : (token == .se || token == .ss)
    guard let other = theirsIsStatic ? remoteStatic : remoteEphemeral else { throw .badKey }
    let shared = oursIsStatic ? key.agree(with: other) : X25519.agree(secret: ephemeral, with: other)
    guard let shared else { throw .badKey }
    symmetric.mixKey(shared.bytes)
  }

  private static func take(_ count: Int, from rest: inout ArraySlice<UInt8>) throws(NoiseError) -> [UInt8] {
    guard rest.count >= count else { throw .truncated }
    let bytes = Array(rest.prefix(count))
    rest = rest.dropFirst(count)
    return bytes
  }
}
