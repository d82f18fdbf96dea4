// Owns: giving out leaves of whole blobs, each hashed again before it leaves.
import Glibc
import TallyBase
import TallyCrypto
import TallyWire

extension BlobStore {
  /// One leaf of a whole blob with its inclusion path. A leaf that does not hash drops the blob.
  public mutating func leaf(_ index: UInt64, of id: ContentID) throws(BlobFault) -> BlobLeaf {
    guard let item = items[id], item.isWhole else {
      throw id == Self.emptyID ? .outOfRange(leaf: index) : .unknown
    }
    let places = try load(item)
    guard index < UInt64(places.places.count) else { throw .outOfRange(leaf: index) }
    let path = path(item)
    let count = BlobLimits.leafSize(index: index, size: item.reference.size)
    let bytes = try filed { () throws(FileError) in
      try BlobFile.leaf(FileHandle(path, O_RDONLY), places.places[Int(index)], count: count)
    }
    guard let bytes else {
      try delete(id)
      throw .damaged(leaf: index)
    }
    use(id)
    return BlobLeaf(
      reference: item.reference, index: index, bytes: bytes, path: places.tree.path(Int(index)))
  }

  /// One leaf for a reader on this host: also of a blob that is still being fetched, when that leaf is here already.
  /// It was checked against the content ID when it came. Nobody else is served from an unfinished blob.
  public mutating func heldLeaf(_ index: UInt64, of id: ContentID) throws(BlobFault) -> (BlobReference, [UInt8]) {
    guard let assembly = partials[id], let reference = assembly.reference else {
      let found = try leaf(index, of: id)
      return (found.reference, found.bytes)
    }
    guard let place = assembly.places[index] else { throw .unknown }
    let path = assembly.path
    let count = BlobLimits.leafSize(index: index, size: reference.size)
    let bytes = try filed { () throws(FileError) in
      try BlobFile.leaf(FileHandle(path, O_RDONLY), place, count: count)
    }
    guard let bytes else {
      try delete(id)
      throw .damaged(leaf: index)
    }
    return (reference, bytes)
  }

  /// A whole blob of at most `limit` bytes.
  public mutating func read(
    _ id: ContentID, limit: Int = BlobStoreLimits.readBytes
  ) throws(BlobFault) -> [UInt8] {
    if id == Self.emptyID { return [] }
    guard let item = items[id], item.isWhole else { throw .unknown }
    guard item.reference.size <= UInt64(limit) else {
      throw .tooLarge(bytes: item.reference.size, limit: UInt64(limit))
    }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(Int(item.reference.size))
    for index in 0..<BlobLimits.leafCount(size: item.reference.size) { bytes += try leaf(index, of: id).bytes }
    return bytes
  }

  /// Places and tree of a whole blob, from memory or from its footer, which must lead to the content ID.
  private mutating func load(_ item: Item) throws(BlobFault) -> Loaded {
    let id = item.reference.id
    if let known = loaded[id] { return known }
    let path = path(item)
    let places = try filed { () throws(FileError) in
      let file = try FileHandle(path, O_RDONLY)
      try file.touch()
      return try BlobFile.places(file, item.reference)
    }
    guard let places else {
      try delete(id)
      throw .damaged(leaf: 0)
    }
    let count = loaded.values.reduce(places.count) { $0 + $1.places.count }
    if count > BlobStoreLimits.cachedLeaves { loaded = [:] }
    let result = Loaded(places: places, tree: BlobTree(places.map(\.hash)))
    loaded[id] = result
    return result
  }
}
