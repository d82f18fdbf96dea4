// Owns: the handshake machine against the public Noise vectors.

import FoundationEssentials
import TallyBase
import TallyCrypto
import Testing

@testable import TallySession

/// A static key whose secret the vectors give away.
private struct OpenKey: StaticKey {
  let secret: Bytes32
  var x25519Key: Bytes32 { X25519.publicKey(of: secret) }
  func agree(with other: Bytes32) -> Bytes32? { X25519.agree(secret: secret, with: other) }
}

extension NoisePattern {
  fileprivate static let others = [
    NoisePattern(name: "XX", messages: [[.e], [.e, .ee, .s, .es], [.s, .se]], knowsResponder: false),
    NoisePattern(name: "XXpsk3", messages: [[.e], [.e, .ee, .s, .es], [.s, .se, .psk]], knowsResponder: false),
    NoisePattern(name: "NK", messages: [[.e, .es], [.e, .ee]], knowsResponder: true),
  ]

  fileprivate static func named(_ name: String) -> NoisePattern? {
    ([.ik, .ikPsk2] + others).first { $0.protocolName == name }
  }
}

/// One vector, from whichever file.
private struct NoiseVector {
  var name = ""
  var prologue: [UInt8] = []
  var psk: [UInt8] = []
  var initiatorStatic: [UInt8]?
  var responderStatic: [UInt8]?
  var initiatorEphemeral: [UInt8] = []
  var responderEphemeral: [UInt8] = []
  var messages: [(payload: [UInt8], ciphertext: [UInt8])] = []
  var handshakeHash: [UInt8]?
  /// Whether the first transport message is always the initiator's.
  var initiatorSpeaksFirst = false

  func run() throws {
    let pattern = try #require(NoisePattern.named(name), "\(name)")
    let zero = [UInt8](repeating: 9, count: 32)
    let keys = [
      OpenKey(secret: Bytes32(initiatorStatic ?? zero)!), OpenKey(secret: Bytes32(responderStatic ?? zero)!),
    ]
    let ephemerals = [Bytes32(initiatorEphemeral)!, Bytes32(responderEphemeral)!]
    var sides = [
      NoiseHandshake(
        pattern, role: .initiator, prologue: prologue, localStatic: keys[0].x25519Key,
        remoteStatic: pattern.knowsResponder ? keys[1].x25519Key : nil, psk: psk),
      NoiseHandshake(
        pattern, role: .responder, prologue: prologue, localStatic: keys[1].x25519Key, remoteStatic: nil, psk: psk),
    ]
    let count = pattern.messages.count
    for (index, message) in messages.prefix(count).enumerated() {
      let (from, to) = (index % 2, 1 - index % 2)
      var out: [UInt8] = []
      try sides[from].write(message.payload, ephemeral: ephemerals[from], key: keys[from], into: &out)
      #expect(out == message.ciphertext, "\(name) message \(index)")
      // A damaged copy is refused and changes nothing for the true one, wherever a tag covers it.
      if index > 0 || pattern.knowsResponder {
        for position in out.indices {
          var copy = sides[to]
          var damaged = out
          damaged[position] ^= 0x10
          #expect(throws: NoiseError.self) { _ = try copy.read(damaged, key: keys[to]) }
        }
      }
      #expect(try sides[to].read(out, key: keys[to]) == message.payload)
    }
    if let handshakeHash { #expect(sides.allSatisfy { $0.handshakeHash == handshakeHash }) }
    var ciphers = [sides[0].split(), sides[1].split()]
    for (index, message) in messages.dropFirst(count).enumerated() {
      let from = initiatorSpeaksFirst ? index % 2 : (count + index) % 2
      var out: [UInt8] = []
      ciphers[from].send.seal(message.payload, associated: [], into: &out)
      #expect(out == message.ciphertext, "\(name) transport message \(index)")
      #expect(ciphers[1 - from].receive.open(out, associated: []) == message.payload)
    }
  }
}

@Suite("Noise")
struct NoiseTests {
  private struct File: Decodable {
    struct Vector: Decodable {
      struct Message: Decodable { let payload: String, ciphertext: String }
      let protocol_name: String
      let init_prologue: String?
      let init_psks: [String]?
      let init_static: String?
      let resp_static: String?
      let init_ephemeral: String
      let resp_ephemeral: String?
      let handshake_hash: String?
      let messages: [Message]
    }
    let vectors: [Vector]
  }

  @Test(arguments: ["cacophony.json", "snow.json"])
  func jsonVectorsHold(_ name: String) throws {
    guard let file: File = try Vectors.shared("noise/\(name)", suite: "Noise \(name)") else { return }
    for vector in file.vectors {
      var plain = NoiseVector()
      plain.name = vector.protocol_name
      plain.prologue = hex(vector.init_prologue ?? "")
      plain.psk = hex(vector.init_psks?.first ?? "")
      plain.initiatorStatic = vector.init_static.map { hex($0) }
      plain.responderStatic = vector.resp_static.map { hex($0) }
      plain.initiatorEphemeral = hex(vector.init_ephemeral)
      plain.responderEphemeral = hex(vector.resp_ephemeral ?? vector.init_ephemeral)
      plain.handshakeHash = vector.handshake_hash.map { hex($0) }
      plain.messages = vector.messages.map { (hex($0.payload), hex($0.ciphertext)) }
      try plain.run()
    }
    #expect(file.vectors.contains { $0.protocol_name.contains("_IK_") })
  }

  @Test func flynnsVectorsHold() throws {
    guard let data = try Vectors.sharedData("noise/flynn.txt", suite: "Noise flynn.txt") else { return }
    var names: [String: Int] = [:]
    for block in String(decoding: data, as: UTF8.self).split(separator: "\n\n") {
      var fields: [String: String] = [:]
      for line in block.split(separator: "\n") {
        let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        fields[String(parts[0])] = String(parts[1])
      }
      var plain = NoiseVector()
      plain.name = try #require(fields["handshake"])
      plain.prologue = hex(fields["prologue"] ?? "")
      plain.psk = hex(fields["preshared_key"] ?? "")
      plain.initiatorStatic = fields["init_static"].map { hex($0) }
      plain.responderStatic = fields["resp_static"].map { hex($0) }
      plain.initiatorEphemeral = hex(try #require(fields["gen_init_ephemeral"]))
      plain.responderEphemeral = hex(try #require(fields["gen_resp_ephemeral"]))
      plain.initiatorSpeaksFirst = true
      var index = 0
      while let payload = fields["msg_\(index)_payload"], let ciphertext = fields["msg_\(index)_ciphertext"] {
        plain.messages.append((hex(payload), hex(ciphertext)))
        index += 1
      }
      try plain.run()
      names[plain.name, default: 0] += 1
    }
    #expect(names["Noise_IK_25519_ChaChaPoly_BLAKE2b"] == 3)
    #expect(names["Noise_IKpsk2_25519_ChaChaPoly_BLAKE2b"] == 3)
  }

  @Test func lowOrderKeysEndTheHandshake() {
    let key = OpenKey(secret: Bytes32([UInt8](repeating: 4, count: 32))!)
    var noise = NoiseHandshake(
      .ik, role: .responder, prologue: [], localStatic: key.x25519Key, remoteStatic: nil, psk: [])
    #expect(throws: NoiseError.badKey) {
      _ = try noise.read([UInt8](repeating: 0, count: 128), key: key)
    }
    for count in [0, 31, 79] {
      var short = NoiseHandshake(
        .ik, role: .responder, prologue: [], localStatic: key.x25519Key, remoteStatic: nil, psk: [])
      #expect(throws: NoiseError.self) { _ = try short.read([UInt8](repeating: 5, count: count), key: key) }
    }
  }
}
