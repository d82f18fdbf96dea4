// Owns: the mesh keys at work: which one fits a packet, and which one to try with a peer.
// Refuses to know: packets beyond their mac1. DESIGN sections 4 and 5; mac1 after WireGuard (Donenfeld 2017, 5.4.4).

import TallyBase
import TallyCrypto

struct Keyring: Sendable {
  /// One mesh key and what is derived from it for our own door.
  struct Key: Sendable {
    /// 32 bytes; all zero in an open mesh.
    let secret: [UInt8]
    /// Checks packets that are meant for us.
    let door: [UInt8]
  }

  let me: PublicKey
  private(set) var meshID: MeshID
  /// Newest first; never empty.
  private(set) var keys: [Key]
  /// Which key to begin with, for peers that did not answer to the newest.
  private var start: [PublicKey: Int] = [:]

  init(mesh: MeshKeys, me: PublicKey) {
    self.me = me
    meshID = mesh.meshID
    keys = Self.make(mesh, me)
  }

  mutating func rotate(to mesh: MeshKeys) {
    meshID = mesh.meshID
    keys = Self.make(mesh, me)
    start = [:]
  }

  private static func make(_ mesh: MeshKeys, _ me: PublicKey) -> [Key] {
    let secrets = mesh.keys.isEmpty ? [[UInt8](repeating: 0, count: 32)] : mesh.keys
    return secrets.map { Key(secret: $0, door: door(mesh: mesh.meshID, secret: $0, receiver: me)) }
  }

  /// The key of mac1 in packets to `receiver`: BLAKE2b-256("tally/mac1/1" ‖ meshID ‖ mesh key ‖ receiver's key).
  static func door(mesh: MeshID, secret: [UInt8], receiver: PublicKey) -> [UInt8] {
    Blake2b.hash256(tag: "tally/mac1/1", [mesh.bytes, secret, receiver.bytes]).bytes
  }

  /// "tally/session/1" ‖ transport ‖ meshID ‖ mesh key ‖ the first 8 bytes of INIT.
  func prologue(_ transport: Transport, secret: [UInt8], header: ArraySlice<UInt8>) -> [UInt8] {
    Array("tally/session/1".utf8) + [transport.rawValue] + meshID.bytes + secret + header
  }

  /// The first of our keys under which `mac1` fits `packet[..<offset]`; nil is an outsider, found out for 0.4 µs a key.
  func fitting(_ packet: [UInt8], offset: Int, mac1: [UInt8]) -> Key? {
    let covered = Array(packet[..<offset])
    return keys.first { ConstantTime.equal(Blake2b.keyed16(key: $0.door, covered), mac1) }
  }

  /// The key for the next try with `peer`: after a failure the next older one, then from the newest again.
  func key(for peer: PublicKey, attempt: Int) -> (index: Int, secret: [UInt8]) {
    let index = (start[peer, default: 0] + attempt) % keys.count
    return (index, keys[index].secret)
  }

  /// Notes that a handshake with this key of ours was answered, or was not.
  mutating func note(_ peer: PublicKey, index: Int, answered: Bool) {
    let next = answered ? index : (index + 1) % keys.count
    if next == 0 || next >= keys.count {
      start[peer] = nil
    } else if start[peer] != nil || start.count < SessionLimits.rememberedKeys {
      start[peer] = next
    }
  }
}
