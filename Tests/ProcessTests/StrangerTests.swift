// Who is not of the mesh: another key or another mesh meets silence and is counted, another wire version gets a hint
// that is no longer than what it sent.
import TallyAdmin
import TallyBase
import TallyGossip
import TallyHarness
import TallyWire
import Testing

extension ProcessTests {
  @Suite(.serialized, .timeLimit(.minutes(1))) struct Strangers {
    @Test(arguments: ["key", "nonce", "name"]) func anotherMeshMeetsSilence(difference: String) throws {
      try Field.run("stranger-\(difference)") { field in
        let host = try field.host("a")
        try host.start()
        let mesh = Field.mesh
        let other =
          switch difference {
          case "key": MeshFile(name: mesh.name, nonce: mesh.nonce, keys: [[UInt8](repeating: 0x22, count: 32)])
          case "nonce": MeshFile(name: mesh.name, nonce: mesh.nonce.reversed(), keys: mesh.keys)
          default: MeshFile(name: "another", nonce: mesh.nonce, keys: mesh.keys)
          }
        // It knows the host's key and address, and has everything else of its own mesh.
        let url = try Invite(parsing: host.invite(), into: other).url
        let stranger = try field.host("s", mesh: other, seeds: [url])
        try stranger.start()
        try eventually("the host counts it", state: { "\(try host.status().refusals)" }) {
          try host.refusals("badMac1") >= 1
        }
        try #require(host.status().members == 1)
        try #require(host.status().sessions == 0)
        try #require(host.status().links == 0)
        try #require(host.status().warnings.contains { $0.text.contains("badMac1 from 127.0.0.1") })
        try #require(Files.text(host.log).contains("badMac1 from 127.0.0.1"))
        try eventually("the stranger is told why it is alone", state: { "\(try stranger.status().warnings)" }) {
          try stranger.status().warnings.contains { $0.text.contains("no answer") && $0.text.contains("another mesh or key") }
        }
        try #require(stranger.status().members == 0)
        // Nothing was sent to it: not a datagram.
        try #require(host.network("datagrams sent") == 0)
      }
    }

    @Test func anotherWireVersionGetsAHint() throws {
      try Field.run("version") { field in
        let host = try field.host("a")
        try host.start()
        let peer = try UDPPeer()
        var garbage = Garbage(seed: 1, mesh: Field.mesh, target: try host.key())
        var packet = try garbage.initiation()
        packet[1] = 9
        packet.replaceSubrange(4..<8, with: [1, 2, 3, 4])
        peer.send([packet][...], to: host.port)
        let answer = try #require(peer.receive(timeoutMs: 5000))
        try #require(answer.count <= packet.count)
        let hint = try HintPacket(answer)
        try #require(hint.version == SessionPacket.version && hint.receiver == 0x0403_0201)
        try #require(host.refusals("unknownVersion") == 1)

        // Too short to be worth an answer: nothing comes. The next question's answer is the first thing that does.
        peer.send([Array(packet.prefix(HintPacket.answeredFrom - 1))][...], to: host.port)
        packet[4] = 9
        peer.send([packet][...], to: host.port)
        let second = try HintPacket(try #require(peer.receive(timeoutMs: 5000)))
        try #require(second.receiver == 0x0403_0209)
      }
    }

    /// A first message whose mac1 fits is answered with less than it brought; one whose mac1 does not, with nothing.
    @Test func nobodyUnprovenGetsMoreThanItSent() throws {
      try Field.run("reflection") { field in
        let host = try field.host("a")
        try host.start()
        let peer = try UDPPeer()
        var garbage = Garbage(seed: 2, mesh: Field.mesh, target: try host.key())
        let good = try garbage.initiation()
        var bad = good
        bad[100] ^= 1
        peer.send([bad, garbage.mutated(good), good][...], to: host.port)
        let answer = try #require(peer.receive(timeoutMs: 5000))
        try #require(answer.count == ResponsePacket.byteCount && answer.count < good.count)
        try #require(answer.first == SessionPacket.respond)
        try #require(host.refusals("badMac1") == 1)
        try #require(host.refusals("badHandshake") == 1)
        // It never confirmed: no session.
        try #require(host.status().sessions == 0)
        try #require(host.network("datagrams sent") == 1)
      }
    }
  }
}

extension Invite {
  /// The same host and address, in another mesh.
  fileprivate init(parsing url: String, into mesh: MeshFile) throws {
    let invite = try Invite(parsing: url)
    self = Invite(
      key: invite.key, host: invite.host, port: invite.port, mesh: mesh.name, nonce: mesh.nonce, token: nil,
      meshKey: mesh.keys.first)
  }
}
