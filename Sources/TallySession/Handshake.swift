// Owns: INIT and RESPONSE as Noise messages: building them, checking them, and what they prove.
// Refuses to know: tables, addresses and time. DESIGN section 5; the identity rules are its second sentence.

import TallyBase
import TallyCrypto
import TallyWire

/// What both sides hold after a handshake.
struct SessionKeys: Sendable {
  var send: CipherState
  var receive: CipherState

}

extension SessionKeys {
  init(_ noise: NoiseHandshake) {
    let (send, receive) = noise.split()
    self.init(send: send, receive: receive)
  }
}

/// Our first message, while its answer is awaited.
struct Initiation: Sendable {
  let peer: PublicKey
  /// Which mesh key was used, and its bytes: a rotation meanwhile changes nothing here.
  let keyIndex: Int
  let secret: [UInt8]
  let packet: [UInt8]
  private let noise: NoiseHandshake

  /// Nil when `peer` is no key that a host can have.
  init?(
    to peer: PublicKey, over transport: Transport, sender: UInt32, attempt: Int, keyring: Keyring,
    ephemeral: Bytes32, identity: borrowing Identity
  ) {
    guard let remote = Ed25519.x25519(peer) else { return nil }
    self.peer = peer
    (keyIndex, secret) = keyring.key(for: peer, attempt: attempt)
    var bytes = InitPacket.header(sender: sender)
    var noise = NoiseHandshake(
      .ikPsk2, role: .initiator,
      prologue: keyring.prologue(transport, secret: secret, header: bytes[...]),
      localStatic: identity.x25519Key, remoteStatic: remote, psk: secret)
    do {
      try noise.write(keyring.me.bytes, ephemeral: ephemeral, key: identity, into: &bytes)
    } catch {
      return nil
    }
    let door = Keyring.door(mesh: keyring.meshID, secret: secret, receiver: peer)
    bytes += Blake2b.keyed16(key: door, bytes) + [UInt8](repeating: 0, count: 16)
    precondition(bytes.count == InitPacket.byteCount, "an INIT of \(bytes.count) bytes")
    packet = bytes
    self.noise = noise
  }

  /// Checks an answer. This value stays as it is, so that a forged answer does not end the wait for the true one.
  func finish(
    _ response: ResponsePacket, bytes: [UInt8], keyring: Keyring, identity: borrowing Identity
  ) throws(SessionFault) -> SessionKeys {
    let door = Keyring.door(mesh: keyring.meshID, secret: secret, receiver: keyring.me)
    let expected = Blake2b.keyed16(key: door, Array(bytes[..<ResponsePacket.mac1Offset]))
    guard ConstantTime.equal(expected, response.mac1) else { throw .badMac1 }
    var noise = noise
    let payload: [UInt8]
    do {
      payload = try noise.read(response.noise, key: identity)
    } catch {
      throw .badHandshake
    }
    guard let key = PublicKey(payload) else { throw .badIdentity }
    guard key == peer else { throw .wrongPeer }
    return SessionKeys(noise)
  }
}

/// A first message whose mac1 fits: somebody who knows the mesh key. Nothing was computed on curves yet.
struct CheckedInit: Sendable {
  let packet: InitPacket
  private let secret: [UInt8]
  private let header: ArraySlice<UInt8>

  /// The initiator's ephemeral key names the handshake: a copy of the packet has the same.
  let ephemeral: Bytes32

  init(_ bytes: [UInt8], keyring: Keyring) throws(SessionFault) {
    do {
      packet = try InitPacket(bytes)
    } catch {
      throw .malformed
    }
    guard let key = keyring.fitting(bytes, offset: InitPacket.mac1Offset, mac1: packet.mac1) else { throw .badMac1 }
    guard let ephemeral = Bytes32(packet.noise.prefix(32)) else { throw .malformed }
    secret = key.secret
    header = bytes[..<InitPacket.headerCount]
    self.ephemeral = ephemeral
  }

  /// What the answerer holds: the peer, the keys, and the packet to send back.
  struct Answer: Sendable {
    let peer: PublicKey
    let keys: SessionKeys
    let packet: [UInt8]
  }

  /// Four X25519 operations. The peer is who it says, but may be a replay until its first sealed packet.
  func answer(
    over transport: Transport, sender: UInt32, keyring: Keyring, ephemeral: Bytes32, identity: borrowing Identity
  ) throws(SessionFault) -> Answer {
    var noise = NoiseHandshake(
      .ikPsk2, role: .responder, prologue: keyring.prologue(transport, secret: secret, header: header),
      localStatic: identity.x25519Key, remoteStatic: nil, psk: secret)
    let payload: [UInt8]
    do {
      payload = try noise.read(packet.noise, key: identity)
    } catch {
      throw .badHandshake
    }
    guard let peer = PublicKey(payload), let converted = Ed25519.x25519(peer), converted == noise.remoteStatic else {
      throw .badIdentity
    }
    guard peer != keyring.me else { throw .ourself }
    var bytes = ResponsePacket.header(sender: sender, receiver: packet.sender)
    do {
      try noise.write(keyring.me.bytes, ephemeral: ephemeral, key: identity, into: &bytes)
    } catch {
      throw .badHandshake
    }
    let door = Keyring.door(mesh: keyring.meshID, secret: secret, receiver: peer)
    bytes += Blake2b.keyed16(key: door, bytes) + [UInt8](repeating: 0, count: 16)
    precondition(bytes.count == ResponsePacket.byteCount, "a RESPONSE of \(bytes.count) bytes")
    return Answer(peer: peer, keys: SessionKeys(noise), packet: bytes)
  }
}
