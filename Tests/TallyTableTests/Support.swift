// Hosts with real keys and signed records, for tests of the peer table.
import TallyBase
import TallyCrypto
import TallyTable
import TallyWire

let testMesh = Names.meshID(name: "table", nonce: [UInt8](repeating: 7, count: 16))

func seed(_ number: Int) -> [UInt8] {
  var writer = ByteWriter()
  writer.u64(UInt64(number))
  writer.raw([UInt8](repeating: 0x5a, count: 24))
  return writer.bytes
}

func at(_ seconds: Double) -> Instant {
  Instant(micros: Int64(seconds * 1_000_000), wallMs: Int64(seconds * 1000))
}

/// Host `number` at 10.x.y.z, with a record of the given counter.
func makeRecord(_ number: Int, counter: UInt32 = 0, port: UInt16 = 8255, epoch: UInt64 = 1) -> NodeRecord {
  let identity = try! Identity(seed: seed(number))
  let endpoint = Endpoint(address: Address(v4: 10 << 24 | UInt32(number + 1)), port: port)
  let recordNumber = RecordNumber(epoch: epoch, counter: counter)
  let bytes = NodeRecord.signedBytes(
    mesh: testMesh, key: identity.publicKey, number: recordNumber, attributes: .zero, endpoints: [endpoint])
  return NodeRecord(
    key: identity.publicKey, number: recordNumber, attributes: .zero, endpoints: [endpoint],
    signature: identity.sign(bytes))
}

func nodeID(_ record: NodeRecord) -> NodeID { Names.nodeID(mesh: testMesh, key: record.key) }

func makeTable(_ number: Int) -> RoutingTable {
  let own = makeRecord(number)
  var table = RoutingTable(
    mesh: testMesh, me: own.key, generator: Generator(seed: Bytes32(word0: UInt64(number), word1: 1, word2: 2, word3: 3), stream: 0))
  table.setOwn(RecordWithAttributes(record: own, block: []))
  return table
}

/// Learns a record and lets our own handshake meet it.
func prove(_ record: NodeRecord, in table: inout RoutingTable, now: Instant) -> [TableEffect] {
  var effects: [TableEffect] = []
  table.learned(record, now: now, into: &effects)
  table.onSessionUp(record.key, at: record.endpoints[0], weDialled: true, now: now, into: &effects)
  return effects
}
