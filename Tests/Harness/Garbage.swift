// Owns: what a hostile host sends: noise, and first handshake messages whose mac1 fits but whose inside is broken.
import TallyAdmin
import TallyBase
import TallyCrypto
import TallySession
import TallyWire

public struct Garbage {
  private var generator: Generator
  private let mesh: MeshFile
  private let target: PublicKey

  public init(seed: UInt64, mesh: MeshFile, target: PublicKey) {
    generator = Generator(seed: Bytes32.zero, stream: seed)
    self.mesh = mesh
    self.target = target
  }

  /// `count` datagrams, every other one a mutation with a valid mac1.
  public mutating func frames(_ count: Int) throws -> [[UInt8]] {
    let captured = try (0..<8).map { _ in try initiation() }
    return (0..<count).map { index in
      index % 2 == 0 ? noise() : mutated(captured[generator.below(captured.count)])
    }
  }

  /// Random bytes of any length; half of them begin like a packet.
  public mutating func noise() -> [UInt8] {
    var bytes = generator.bytes(1 + generator.below(SessionPacket.datagramLimit))
    if generator.chance(1, outOf: 2) {
      bytes[0] = UInt8(1 + generator.below(5))
      if bytes.count > 3 { bytes.replaceSubrange(1..<4, with: [SessionPacket.version, 0, 0]) }
    }
    return bytes
  }

  /// A true first handshake message by a key nobody knows.
  public mutating func initiation() throws -> [UInt8] {
    let identity = try Identity(seed: generator.bytes(32))
    var sessions = Sessions(
      mesh: MeshKeys(meshID: mesh.meshID, keys: mesh.keys), me: identity.publicKey, generator: generator.fork())
    var effects: [SessionEffect] = []
    let somewhere = Endpoint(address: Address(v4: 0x7f00_0001), port: 1)
    sessions.connect(
      to: target, at: somewhere, identity: identity, now: Instant(micros: 1, wallMs: 1), into: &effects)
    for case .transmit(_, let bytes) in effects { return bytes }
    throw HarnessError("no first handshake message was made")
  }

  /// Some bytes behind the header changed, and mac1 made new: it passes the cheap check and fails the dear one.
  public mutating func mutated(_ packet: [UInt8]) -> [UInt8] {
    var bytes = packet
    for _ in 0...generator.below(4) {
      bytes[InitPacket.headerCount + generator.below(InitPacket.noiseCount)] ^= UInt8(1 + generator.below(255))
    }
    let door = Blake2b.hash256(
      tag: "tally/mac1/1", [mesh.meshID.bytes, mesh.keys.first ?? [], target.bytes])
    let mac1 = Blake2b.keyed16(key: door.bytes, Array(bytes[..<InitPacket.mac1Offset]))
    bytes.replaceSubrange(InitPacket.mac1Offset..<InitPacket.mac1Offset + 16, with: mac1)
    return bytes
  }
}
