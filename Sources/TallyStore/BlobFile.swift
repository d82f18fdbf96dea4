// Owns: the layout of one blob's file. Leaves are appended as they come, each with its hash, so that a file torn by a
// crash is believed exactly as far as it hashes. Refuses to know: directories, quotas, names.
//
// | part    | bytes                                                                              |
// | header  | "tally-b1" 8 · content ID 32 · size u64 (both zero while the upload is not finished) |
// | record  | leaf index u32 · bytes at rest u32, bit 31 set when LZ4 · leaf hash 32 · bytes      |
// | footer  | once whole: n × (offset of the bytes u64 · at rest u32 as above · leaf hash 32)      |
// | trailer | n u64 · "tally-e1" 8                                                               |
import Glibc
import TallyBase
import TallyCrypto
import TallyLog
import TallyWire

/// Where a leaf's bytes lie in its file.
struct BlobPlace: Hashable, Sendable {
  static let compressed: UInt32 = 1 << 31
  let offset: UInt64
  let stored: UInt32
  let hash: Digest
  var storedCount: Int { Int(stored & ~Self.compressed) }
  var isCompressed: Bool { stored & Self.compressed != 0 }
}

enum BlobFile {
  static let headerBytes = 48
  static let recordBytes = 40
  static let footerBytes = 44
  static let trailerBytes = 16
  static let magic = Array("tally-b1".utf8)
  static let endMagic = Array("tally-e1".utf8)

  static func header(_ reference: BlobReference?) -> [UInt8] {
    var writer = ByteWriter(capacity: headerBytes)
    writer.raw(magic)
    writer.named(reference?.id ?? .zero)
    writer.u64(reference?.size ?? 0)
    return writer.bytes
  }

  static func readHeader(_ file: borrowing FileHandle) throws(FileError) -> BlobReference? {
    var reader = ByteReader(try file.read(headerBytes, at: 0))
    do throws(DecodeError) {
      guard try reader.take(8) == magic else { return nil }
      return BlobReference(id: try reader.named(), size: try reader.u64())
    } catch { return nil }
  }

  /// A record of one leaf, compressed where that is shorter, and its place when it is written at `offset`.
  static func record(_ index: UInt64, _ bytes: [UInt8], hash: Digest, at offset: UInt64) -> ([UInt8], BlobPlace) {
    let block = Compression.shrink(bytes)
    let stored = UInt32((block ?? bytes).count) | (block == nil ? 0 : BlobPlace.compressed)
    var writer = ByteWriter(capacity: recordBytes + bytes.count)
    writer.u32(UInt32(truncatingIfNeeded: index))
    writer.u32(stored)
    writer.named(hash)
    writer.raw(block ?? bytes)
    return (writer.bytes, BlobPlace(offset: offset + UInt64(recordBytes), stored: stored, hash: hash))
  }

  static func footer(_ places: [BlobPlace]) -> [UInt8] {
    var writer = ByteWriter(capacity: places.count * footerBytes + trailerBytes)
    for place in places {
      writer.u64(place.offset)
      writer.u32(place.stored)
      writer.named(place.hash)
    }
    writer.u64(UInt64(places.count))
    writer.raw(endMagic)
    return writer.bytes
  }

  /// The places of a whole blob; nil when the footer is not that of this blob.
  static func places(
    _ file: borrowing FileHandle, _ reference: BlobReference
  ) throws(FileError) -> [BlobPlace]? {
    let count = Int(BlobLimits.leafCount(size: reference.size))
    let bytes = count * footerBytes + trailerBytes
    let start = try file.size() - bytes
    guard start >= headerBytes else { return nil }
    var reader = ByteReader(try file.read(bytes, at: start))
    var places: [BlobPlace] = []
    places.reserveCapacity(count)
    do throws(DecodeError) {
      for _ in 0..<count {
        let place = BlobPlace(offset: try reader.u64(), stored: try reader.u32(), hash: try reader.named())
        guard place.offset <= UInt64(start), place.storedCount <= BlobLimits.leafSize else { return nil }
        places.append(place)
      }
      guard try reader.u64() == UInt64(count), try reader.take(8) == endMagic else { return nil }
    } catch { return nil }
    return MerkleFrontier(leaves: places.map(\.hash)).root.raw == reference.id.raw ? places : nil
  }

  /// The leaf at `place`; nil when what lies there does not have its hash.
  static func leaf(
    _ file: borrowing FileHandle, _ place: BlobPlace, count: Int
  ) throws(FileError) -> [UInt8]? {
    let stored = try file.read(place.storedCount, at: Int(place.offset))
    let bytes = place.isCompressed ? Compression.expand(stored, to: count) : stored
    guard let bytes, bytes.count == count, SHA256Hash.leaf(bytes) == place.hash else { return nil }
    return bytes
  }

  /// Reads the records of an unfinished file up to the first that does not hash: leaf indexes, places and the end.
  static func scan(
    _ file: borrowing FileHandle, _ reference: BlobReference
  ) throws(FileError) -> (places: [UInt64: BlobPlace], end: UInt64) {
    var places: [UInt64: BlobPlace] = [:]
    var end = UInt64(headerBytes)
    while true {
      var reader = ByteReader(try file.read(recordBytes, at: Int(end)))
      var next: (UInt64, BlobPlace)?
      do throws(DecodeError) {
        let index = UInt64(try reader.u32())
        next = (
          index, BlobPlace(offset: end + UInt64(recordBytes), stored: try reader.u32(), hash: try reader.named())
        )
      } catch { next = nil }
      guard let (index, place) = next, place.storedCount <= BlobLimits.leafSize else { break }
      let count = BlobLimits.leafSize(index: index, size: reference.size)
      guard count > 0, try leaf(file, place, count: count) != nil else { break }
      places[index] = place
      end = place.offset + UInt64(place.storedCount)
    }
    return (places, end)
  }
}
