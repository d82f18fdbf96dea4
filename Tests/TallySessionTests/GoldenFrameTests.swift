// Owns: frames of sessions, byte for byte: what another program must make of the same inputs.

import TallyBase
import TallyCrypto
import TallyWire
import Testing

@testable import TallySession

@Suite("Golden frames")
struct GoldenFrameTests {
  private struct File: Decodable {
    let mesh_id: String, mac1_key_responder: String
    let initiator_key: String, responder_key: String
    let `init`: String, response: String, first_data: String, link_ping: String, hint: String
  }

  /// Mesh `lab` with nonce 01…01, mesh key 07…07; seeds 01…01 and 02…02; ephemerals 11…11 and 22…22.
  @Test func aSessionIsThese() throws {
    let file: File = try Vectors.fixture("../frames/session.json")
    let mesh = Bench.keys(7)
    let one = try Identity(seed: Bench.key(1))
    let two = try Identity(seed: Bench.key(2))
    let oneRing = Keyring(mesh: mesh, me: one.publicKey)
    let twoRing = Keyring(mesh: mesh, me: two.publicKey)
    var made: [String: String] = [
      "mesh_id": mesh.meshID.hex, "initiator_key": one.publicKey.hex, "responder_key": two.publicKey.hex,
      "mac1_key_responder": Hex.encode(twoRing.keys[0].door),
    ]
    let initiation = Initiation(
      to: two.publicKey, over: .datagram, sender: 0x0403_0201, attempt: 0, keyring: oneRing,
      ephemeral: Bytes32(Bench.key(0x11))!, identity: one)!
    made["init"] = Hex.encode(initiation.packet)
    let answer = try CheckedInit(initiation.packet, keyring: twoRing).answer(
      over: .datagram, sender: 0x0807_0605, keyring: twoRing, ephemeral: Bytes32(Bench.key(0x22))!, identity: two)
    #expect(answer.peer == one.publicKey)
    made["response"] = Hex.encode(answer.packet)
    var keys = try initiation.finish(
      ResponsePacket(answer.packet), bytes: answer.packet, keyring: oneRing, identity: one)
    var writer = ByteWriter()
    DataHeader(receiver: 0x0807_0605, counter: 0).write(to: &writer)
    keys.send.seal(HopMessage.ping(nonce: 1).bytes, behind: &writer.bytes)
    made["first_data"] = Hex.encode(writer.bytes)
    let opened = answer.keys.receive.open(behind: DataHeader.byteCount, of: writer.bytes, counter: 0)
    #expect(opened == HopMessage.ping(nonce: 1).bytes)
    var link = Link(
      remote: Endpoint("192.0.2.1:1")!, weDialled: true, phase: .awaitingInit, now: Instant(micros: 0, wallMs: 0))
    link.keys = answer.keys
    made["link_ping"] = Hex.encode(link.seal(HopMessage.ping(nonce: 2).bytes)!)
    made["hint"] = Hex.encode(DatagramSessions.hint(for: initiation.packet))
    let frozen = [
      "mesh_id": file.mesh_id, "initiator_key": file.initiator_key, "responder_key": file.responder_key,
      "mac1_key_responder": file.mac1_key_responder, "init": file.`init`, "response": file.response,
      "first_data": file.first_data, "link_ping": file.link_ping, "hint": file.hint,
    ]
    for name in frozen.keys.sorted() { #expect(made[name] == frozen[name], "\(name): \(made[name] ?? "")") }
  }

  @Test func hopMessagesHaveOneForm() throws {
    let observed = Endpoint("192.0.2.4:8255")!
    let forms: [(HopMessage, String)] = [
      (.ping(nonce: 1), "010100000000000000" + String(repeating: "00", count: 18)),
      (.pong(nonce: 2, observed: observed), "020200000000000000" + "00000000000000000000ffffc0000204" + "3f20"),
      (.pathChallenge(nonce: 3), "030300000000000000"), (.pathResponse(nonce: .max), "04ffffffffffffffff"),
      (.close(reason: 0), "0500"),
    ]
    for (message, text) in forms {
      #expect(Hex.encode(message.bytes) == text)
      #expect(try HopMessage(hex(text)) == message)
      #expect(throws: DecodeError.self) { _ = try HopMessage(hex(text) + [0]) }
      #expect(throws: DecodeError.self) { _ = try HopMessage(hex(text).dropLast()) }
    }
    #expect(throws: DecodeError.self) { _ = try HopMessage([6]) }
    #expect(throws: DecodeError.self) { _ = try HopMessage([]) }
    var reserved = HopMessage.ping(nonce: 1).bytes
    reserved[20] = 1
    #expect(throws: DecodeError.notCanonical(field: "reserved")) { _ = try HopMessage(reserved) }
  }
}

extension HopMessage {
  fileprivate init(_ bytes: ArraySlice<UInt8>) throws { try self.init(Array(bytes)) }
}
