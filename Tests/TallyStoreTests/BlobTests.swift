import Foundation
import TallyBase
import TallyCrypto
import TallyLog
import TallyWire
import Testing

@testable import TallyStore

@Suite struct BlobTests {
  private static let leafSize = BlobLimits.leafSize

  /// Bytes that do not compress.
  private static func noise(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
    var generator = Generator(seed: .zero, stream: seed)
    return generator.bytes(count)
  }

  private static func leaves(_ bytes: [UInt8]) -> [[UInt8]] {
    stride(from: 0, to: bytes.count, by: leafSize).map { Array(bytes[$0..<min($0 + leafSize, bytes.count)]) }
  }

  private static func path(_ bytes: [UInt8], _ index: Int) -> [Digest] {
    MerkleTree.inclusionPath(leaves(bytes).map { SHA256Hash.leaf($0) }, index: UInt64(index))
  }

  @Test(arguments: [0, 1, 65_535, 65_536, 65_537, 5 * 65_536, 700_001])
  func whatIsStoredComesBackWithItsPaths(count: Int) throws {
    let scratch = try Scratch()
    let directory = try DataDirectory(scratch.data)
    var blobs = try BlobStore(directory, quotaBytes: 1 << 30)
    let bytes = Self.noise(count)
    let reference = try blobs.store(bytes)
    #expect(reference == BlobStore.reference(of: bytes))
    #expect(reference.id.raw == MerkleTree.root(Self.leaves(bytes).map { SHA256Hash.leaf($0) }).raw)
    #expect(try blobs.read(reference.id) == bytes)
    for (index, leaf) in Self.leaves(bytes).enumerated() {
      let given = try blobs.leaf(UInt64(index), of: reference.id)
      let path = Self.path(bytes, index)
      #expect(given == BlobLeaf(reference: reference, index: UInt64(index), bytes: leaf, path: path))
    }
    let end = UInt64(Self.leaves(bytes).count)
    let beyond = Self.fault { () throws(BlobFault) in _ = try blobs.leaf(end, of: reference.id) }
    #expect(beyond == .outOfRange(leaf: end))
    let again = try BlobStore(directory, quotaBytes: 1 << 30)
    let status = again.status(reference.id)
    #expect(status == .whole(size: UInt64(count)))
    #expect(again.usedBytes == blobs.usedBytes)
    let list = again.list
    #expect(list == (count == 0 ? [] : [reference]))
  }

  private static func whole(_ blobs: borrowing BlobStore, _ ids: [ContentID]) -> [Bool] {
    var result: [Bool] = []
    for id in ids { result.append(blobs.isWhole(id)) }
    return result
  }

  private static func fault(_ body: () throws(BlobFault) -> Void) -> BlobFault? {
    do throws(BlobFault) { try body() } catch { return error }
    return nil
  }

  @Test func leavesOfAKnownNameComeInAnyOrderAcrossARestart() throws {
    let scratch = try Scratch()
    let directory = try DataDirectory(scratch.data)
    let bytes = Self.noise(9 * Self.leafSize + 77)
    let reference = BlobStore.reference(of: bytes)
    let leaves = Self.leaves(bytes)
    do {
      var blobs = try BlobStore(directory, quotaBytes: 1 << 30)
      #expect(try blobs.begin(reference) == .partial(size: reference.size, held: 0, count: 10))
      for index in [7, 0, 9, 7] {
        _ = try blobs.put(leaf: UInt64(index), of: reference.id, bytes: leaves[index], path: Self.path(bytes, index))
      }
      let missing = blobs.missingLeaves(of: reference.id, limit: 4)
      #expect(missing == [1, 2, 3, 4])
      let unread = Self.fault { () throws(BlobFault) in _ = try blobs.leaf(0, of: reference.id) }
      #expect(unread == .unknown, "a partial blob serves nothing")
    }
    // The file's end is torn as by a crash.
    let file = scratch.data + "/blobs/partial/" + reference.id.hex
    let handle = try #require(FileHandle(forWritingAtPath: file))
    let size = try handle.seekToEnd()
    try handle.truncate(atOffset: size - 5)
    try handle.close()
    var blobs = try BlobStore(directory, quotaBytes: 1 << 30)
    #expect(try blobs.begin(reference) == .partial(size: reference.size, held: 2, count: 10))
    #expect(blobs.usedBytes == UInt64(BlobFile.headerBytes + 2 * (BlobFile.recordBytes + Self.leafSize)))
    var last: BlobStatus?
    for index in blobs.missingLeaves(of: reference.id, limit: 100) {
      last = try blobs.put(
        leaf: index, of: reference.id, bytes: leaves[Int(index)], path: Self.path(bytes, Int(index)))
    }
    #expect(last == .whole(size: reference.size))
    #expect(try blobs.read(reference.id) == bytes)
    #expect(try blobs.begin(reference) == .whole(size: reference.size))
    #expect(!FileManager.default.fileExists(atPath: file))
  }

  @Test func aTamperedLeafIsRefused() throws {
    let scratch = try Scratch()
    var blobs = try BlobStore(try DataDirectory(scratch.data), quotaBytes: 1 << 30)
    let bytes = Self.noise(3 * Self.leafSize + 9)
    let reference = BlobStore.reference(of: bytes)
    let (leaves, id) = (Self.leaves(bytes), reference.id)
    let path = Self.path(bytes, 1)
    let early = Self.fault { () throws(BlobFault) in _ = try blobs.put(leaf: 1, of: id, bytes: leaves[1], path: path) }
    #expect(early == .unknown, "begin was not called")
    _ = try blobs.begin(reference)
    var flipped = leaves[1]
    flipped[300] ^= 1
    var otherPath = path
    otherPath[1] = .zero
    let wrong: [(UInt64, [UInt8], [Digest], BlobFault)] = [
      (1, flipped, path, .notThisLeaf(leaf: 1)), (1, leaves[1], otherPath, .notThisLeaf(leaf: 1)),
      (1, leaves[1], Array(path.dropLast()), .notThisLeaf(leaf: 1)),
      (1, leaves[1], path + [.zero], .notThisLeaf(leaf: 1)),
      (0, leaves[1], path, .notThisLeaf(leaf: 0)), (2, leaves[1], path, .notThisLeaf(leaf: 2)),
      (1, Array(leaves[1].dropLast()), path, .wrongLength(leaf: 1, bytes: Self.leafSize - 1)),
      (3, leaves[1], path, .wrongLength(leaf: 3, bytes: Self.leafSize)), (4, [], [], .outOfRange(leaf: 4)),
      (.max, leaves[1], path, .outOfRange(leaf: .max)),
    ]
    for (index, bytes, path, expected) in wrong {
      let fault = Self.fault { () throws(BlobFault) in
        _ = try blobs.put(leaf: index, of: id, bytes: bytes, path: path)
      }
      #expect(fault == expected)
    }
    let status = blobs.status(id)
    #expect(status == .partial(size: reference.size, held: 0, count: 4))
    let lie = Self.fault { () throws(BlobFault) in _ = try blobs.begin(BlobReference(id: id, size: 5)) }
    #expect(lie == .otherSize(known: reference.size))
    try blobs.delete(id)
    // A size that lies within the last leaf is found out by the last leaf.
    _ = try blobs.begin(BlobReference(id: id, size: reference.size + 1))
    let short = Self.fault { () throws(BlobFault) in
      _ = try blobs.put(leaf: 3, of: id, bytes: leaves[3], path: Self.path(bytes, 3))
    }
    #expect(short == .wrongLength(leaf: 3, bytes: 9))
  }

  @Test func uploads() throws {
    let scratch = try Scratch()
    let directory = try DataDirectory(scratch.data)
    var blobs = try BlobStore(directory, quotaBytes: 1 << 30)
    let staging = try blobs.beginStaging()
    try blobs.put(Self.noise(Self.leafSize), to: staging)
    let empty = Self.fault { () throws(BlobFault) in try blobs.put([], to: staging) }
    #expect(empty == .wrongLength(leaf: 1, bytes: 0))
    let long = Self.fault { () throws(BlobFault) in try blobs.put(Self.noise(Self.leafSize + 1), to: staging) }
    #expect(long == .wrongLength(leaf: 1, bytes: Self.leafSize + 1))
    try blobs.put([1, 2], to: staging)
    let behind = Self.fault { () throws(BlobFault) in try blobs.put([3], to: staging) }
    #expect(behind == .outOfRange(leaf: 2))
    let first = try blobs.finish(staging)
    let gone = Self.fault { () throws(BlobFault) in _ = try blobs.finish(staging) }
    #expect(gone == .unknown)
    let used = blobs.usedBytes
    // The same content again takes no room; an abandoned upload gives its back.
    #expect(try blobs.store(Self.noise(Self.leafSize) + [1, 2]) == first)
    let other = try blobs.beginStaging()
    try blobs.put(Self.noise(1000), to: other)
    #expect(blobs.usedBytes > used)
    try blobs.abandon(other)
    try blobs.abandon(other)
    #expect(blobs.usedBytes == used)
    for _ in 0..<BlobStoreLimits.stagings { _ = try blobs.beginStaging() }
    let many = Self.fault { () throws(BlobFault) in _ = try blobs.beginStaging() }
    #expect(many == .tooMany(limit: BlobStoreLimits.stagings))
    let again = try BlobStore(directory, quotaBytes: 1 << 30)
    #expect(again.usedBytes == used, "uploads end with their process")
  }

  @Test func anUploadReplacesAFetchOfTheSameBlob() throws {
    let scratch = try Scratch()
    var blobs = try BlobStore(try DataDirectory(scratch.data), quotaBytes: 1 << 30)
    let bytes = Self.noise(2 * Self.leafSize)
    _ = try blobs.begin(BlobStore.reference(of: bytes))
    let reference = try blobs.store(bytes)
    #expect(try blobs.read(reference.id) == bytes)
    let path = scratch.data + "/blobs/whole/" + reference.id.hex
    let size = try #require(FileManager.default.attributesOfItem(atPath: path)[.size] as? Int)
    #expect(blobs.usedBytes == UInt64(size))
  }

  @Test func quotaEvictsTheLeastRecentlyUsedButNotPins() throws {
    let scratch = try Scratch()
    let directory = try DataDirectory(scratch.data)
    var blobs = try BlobStore(directory, quotaBytes: 350_000)
    var stored: [ContentID] = []
    for seed in 1...3 { stored.append(try blobs.store(Self.noise(100_000, seed: UInt64(seed))).id) }
    try blobs.pin(stored[1])
    _ = try blobs.leaf(0, of: stored[0])
    let fourth = try blobs.store(Self.noise(100_000, seed: 4)).id
    #expect(Self.whole(blobs, stored) == [true, true, false])
    let fifth = try blobs.store(Self.noise(100_000, seed: 5)).id
    #expect(Self.whole(blobs, [stored[0], stored[1], fourth, fifth]) == [false, true, true, true])
    #expect(blobs.usedBytes <= blobs.quotaBytes)
    for id in [fourth, fifth] { try blobs.pin(id) }
    let used = blobs.usedBytes
    let refused = Self.fault { () throws(BlobFault) in _ = try blobs.store(Self.noise(100_000, seed: 6)) }
    guard case .quota(_, 350_000) = refused else {
      Issue.record("\(String(describing: refused))")
      return
    }
    #expect(blobs.usedBytes == used)
    #expect(Self.whole(blobs, [stored[1], fourth, fifth]) == [true, true, true])
    blobs.unpin(fifth)
    _ = try blobs.store(Self.noise(100_000, seed: 6))
    #expect(Self.whole(blobs, [fifth]) == [false])
  }

  @Test func leavesThatShrinkAreCompressedAtRest() throws {
    let scratch = try Scratch()
    var blobs = try BlobStore(try DataDirectory(scratch.data), quotaBytes: 1 << 30)
    let bytes = [UInt8](repeating: 65, count: 10 * Self.leafSize + 5) + Self.noise(10)
    let reference = try blobs.store(bytes)
    #expect(blobs.usedBytes < 10_000)
    #expect(try blobs.read(reference.id) == bytes)
    #expect(Compression.shrink(Self.noise(5000)) == nil)
    let block = try #require(Compression.shrink([UInt8](repeating: 1, count: 1000)))
    #expect(Compression.expand(block, to: 1000) == [UInt8](repeating: 1, count: 1000))
    #expect(Compression.expand(block, to: 999) == nil)
    #expect(Compression.expand(block, to: 1001) == nil)
    #expect(Compression.expand([0xf0, 0xff, 0xff], to: 64) == nil)
  }

  @Test func damageAtRestIsNoticedAndTheBlobDropped() throws {
    let scratch = try Scratch()
    let directory = try DataDirectory(scratch.data)
    let bytes = Self.noise(2 * Self.leafSize)
    // In the first leaf, in the footer, in the trailer, in the header.
    for place in [100, 3 * Self.leafSize - 1, -20, -3, 20] {
      var blobs = try BlobStore(directory, quotaBytes: 1 << 30)
      let reference = try blobs.store(bytes)
      let path = scratch.data + "/blobs/whole/" + reference.id.hex
      var content = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
      content[place < 0 ? content.count + place : min(place, content.count - 60)] ^= 4
      try Data(content).write(to: URL(fileURLWithPath: path))
      var again = try BlobStore(directory, quotaBytes: 1 << 30)
      let fault = Self.fault { () throws(BlobFault) in
        for index in 0..<2 { _ = try again.leaf(UInt64(index), of: reference.id) }
      }
      #expect(fault != nil, "byte \(place)")
      #expect(Self.whole(again, [reference.id]) == [false], "byte \(place)")
      #expect(again.usedBytes == 0)
    }
  }

  @Test func limits() throws {
    let scratch = try Scratch()
    var blobs = try BlobStore(try DataDirectory(scratch.data), quotaBytes: 1 << 40)
    let large = BlobReference(id: .zero, size: BlobStoreLimits.leaves * UInt64(Self.leafSize) + 1)
    let fault = Self.fault { () throws(BlobFault) in _ = try blobs.begin(large) }
    #expect(fault == .tooLarge(bytes: large.size, limit: large.size - 1))
    let empty = Self.fault { () throws(BlobFault) in _ = try blobs.begin(BlobReference(id: .zero, size: 0)) }
    #expect(empty == .otherSize(known: 0), "only the empty blob has no leaves")
    #expect(try blobs.begin(BlobReference(id: BlobStore.emptyID, size: 0)) == .whole(size: 0))
    let bytes = Self.noise(5000)
    let reference = try blobs.store(bytes)
    let read = Self.fault { () throws(BlobFault) in _ = try blobs.read(reference.id, limit: 4999) }
    #expect(read == .tooLarge(bytes: 5000, limit: 4999))
    for number in 1...BlobStoreLimits.partials {
      let id = ContentID(raw: Bytes32(word0: UInt64(number), word1: 0, word2: 0, word3: 0))
      _ = try blobs.begin(BlobReference(id: id, size: 10))
    }
    let many = Self.fault { () throws(BlobFault) in _ = try blobs.begin(BlobReference(id: .zero, size: 10)) }
    #expect(many == .tooMany(limit: BlobStoreLimits.partials))
    for fault in [many, read, empty] { #expect(fault?.description.isEmpty == false) }
  }
}
