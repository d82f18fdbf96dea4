// Owns: how bytes come in: uploads whose name is known at their end, and leaves of a known name in any order.
import Glibc
import TallyBase
import TallyCrypto
import TallyLog
import TallyWire

extension BlobStore {
  /// The name of the blob without leaves: SHA-256 of nothing. RFC 6962 section 2.1.
  public static let emptyID = ContentID(raw: MerkleFrontier.emptyRoot.raw)

  /// Name and size of `bytes` as a blob, without storing it.
  public static func reference(of bytes: [UInt8]) -> BlobReference {
    var frontier = MerkleFrontier()
    for leaf in leaves(of: bytes) { frontier.append(SHA256Hash.leaf(leaf)) }
    return BlobReference(id: ContentID(raw: frontier.root.raw), size: UInt64(bytes.count))
  }

  private static func leaves(of bytes: [UInt8]) -> [[UInt8]] {
    stride(from: 0, to: bytes.count, by: BlobLimits.leafSize).map {
      Array(bytes[$0..<min($0 + BlobLimits.leafSize, bytes.count)])
    }
  }

  // MARK: Uploads

  /// Begins an upload. It does not survive the process.
  public mutating func beginStaging() throws(BlobFault) -> StagingID {
    guard stagings.count < BlobStoreLimits.stagings else { throw .tooMany(limit: BlobStoreLimits.stagings) }
    clock += 1
    let id = StagingID(number: clock)
    let path = root + "/staging/\(clock)"
    stagings[id] = try create(path, reference: nil)
    return id
  }

  /// The upload's next leaf: 64 KiB, or the last one, of 1 byte or more.
  public mutating func put(_ bytes: [UInt8], to staging: StagingID) throws(BlobFault) {
    guard var assembly = stagings[staging] else { throw .unknown }
    let index = UInt64(assembly.places.count)
    guard assembly.contentBytes % UInt64(BlobLimits.leafSize) == 0 else { throw .outOfRange(leaf: index) }
    guard (1...BlobLimits.leafSize).contains(bytes.count) else { throw .wrongLength(leaf: index, bytes: bytes.count) }
    guard index < BlobStoreLimits.leaves else {
      let limit = BlobStoreLimits.leaves * UInt64(BlobLimits.leafSize)
      throw .tooLarge(bytes: assembly.contentBytes + UInt64(bytes.count), limit: limit)
    }
    let written = try write(index, bytes, hash: SHA256Hash.leaf(bytes), to: &assembly)
    usedBytes += written
    stagings[staging] = assembly
  }

  /// Ends an upload: names it, syncs it, and puts it among the whole blobs. On return it is durable.
  public mutating func finish(_ staging: StagingID) throws(BlobFault) -> BlobReference {
    guard let assembly = stagings[staging] else { throw .unknown }
    var frontier = MerkleFrontier()
    for index in 0..<UInt64(assembly.places.count) {
      guard let place = assembly.places[index] else { preconditionFailure("upload without leaf \(index)") }
      frontier.append(place.hash)
    }
    let reference = BlobReference(id: ContentID(raw: frontier.root.raw), size: assembly.contentBytes)
    if isWhole(reference.id) {
      use(reference.id)
      try abandon(staging)
      return reference
    }
    try discardPartial(of: reference)
    try seal(assembly, as: reference)
    stagings[staging] = nil
    usedBytes -= assembly.end
    return reference
  }

  /// Gives up an upload. One that is not there is no error.
  public mutating func abandon(_ staging: StagingID) throws(BlobFault) {
    guard let assembly = stagings.removeValue(forKey: staging) else { return }
    usedBytes -= assembly.end
    try filed { () throws(FileError) in try FileStorage.remove(assembly.path) }
  }

  /// Stores a blob that is in memory. On return it is durable.
  public mutating func store(_ bytes: [UInt8]) throws(BlobFault) -> BlobReference {
    let staging = try beginStaging()
    do throws(BlobFault) {
      for leaf in Self.leaves(of: bytes) { try put(leaf, to: staging) }
      return try finish(staging)
    } catch {
      try abandon(staging)
      throw error
    }
  }

  // MARK: Fetches

  /// Begins to fetch a blob, or goes on with what an earlier fetch left: its leaves are read and hashed again.
  public mutating func begin(_ reference: BlobReference) throws(BlobFault) -> BlobStatus {
    if isWhole(reference.id) { return .whole(size: items[reference.id]?.reference.size ?? 0) }
    let count = BlobLimits.leafCount(size: reference.size)
    guard count <= BlobStoreLimits.leaves else {
      throw .tooLarge(bytes: reference.size, limit: BlobStoreLimits.leaves * UInt64(BlobLimits.leafSize))
    }
    guard count > 0 else { throw .otherSize(known: 0) }
    if let item = items[reference.id] {
      guard item.reference.size == reference.size else { throw .otherSize(known: item.reference.size) }
      if partials[reference.id] == nil { try reopen(item) }
    } else {
      guard items.count < BlobStoreLimits.blobs else { throw .tooMany(limit: BlobStoreLimits.blobs) }
      guard partials.count < BlobStoreLimits.partials else { throw .tooMany(limit: BlobStoreLimits.partials) }
      let item = Item(reference: reference, isWhole: false, bytes: UInt64(BlobFile.headerBytes), used: 0)
      partials[reference.id] = try create(path(item), reference: reference)
      items[reference.id] = item
    }
    use(reference.id)
    return try sealIfComplete(reference.id)
  }

  /// A leaf of a blob that `begin` was called for. It is stored only when `path` leads from it to the content ID.
  public mutating func put(
    leaf index: UInt64, of id: ContentID, bytes: [UInt8], path: [Digest]
  ) throws(BlobFault) -> BlobStatus {
    if isWhole(id) { return .whole(size: items[id]?.reference.size ?? 0) }
    guard var assembly = partials[id], let reference = assembly.reference else { throw .unknown }
    let count = BlobLimits.leafCount(size: reference.size)
    guard index < count else { throw .outOfRange(leaf: index) }
    guard bytes.count == BlobLimits.leafSize(index: index, size: reference.size) else {
      throw .wrongLength(leaf: index, bytes: bytes.count)
    }
    let hash = SHA256Hash.leaf(bytes)
    let root = Digest(raw: id.raw)
    guard MerkleTree.verifyInclusion(leaf: hash, index: index, size: count, path: path, root: root) else {
      throw .notThisLeaf(leaf: index)
    }
    if assembly.places[index] == nil {
      let written = try write(index, bytes, hash: hash, to: &assembly)
      usedBytes += written
      items[id]?.bytes += written
      partials[id] = assembly
      use(id)
    }
    return try sealIfComplete(id)
  }

  /// Up to `limit` leaves that are still to be fetched, lowest first; empty when there are none or `begin` was not
  /// called.
  public func missingLeaves(of id: ContentID, limit: Int) -> [UInt64] {
    guard let assembly = partials[id], let reference = assembly.reference else { return [] }
    var missing: [UInt64] = []
    for index in 0..<BlobLimits.leafCount(size: reference.size) where assembly.places[index] == nil {
      if missing.count >= limit { break }
      missing.append(index)
    }
    return missing
  }

  // MARK: Files

  private mutating func create(_ path: String, reference: BlobReference?) throws(BlobFault) -> Assembly {
    try makeRoom(UInt64(BlobFile.headerBytes), keeping: reference?.id)
    try filed { () throws(FileError) in
      let file = try FileHandle(path, O_WRONLY | O_CREAT | O_TRUNC)
      try file.write(BlobFile.header(reference), at: 0)
    }
    usedBytes += UInt64(BlobFile.headerBytes)
    return Assembly(path: path, reference: reference, end: UInt64(BlobFile.headerBytes))
  }

  /// Takes up a partial file of an earlier process as far as it hashes.
  private mutating func reopen(_ item: Item) throws(BlobFault) {
    guard partials.count < BlobStoreLimits.partials else { throw .tooMany(limit: BlobStoreLimits.partials) }
    let path = path(item)
    let (places, end) = try filed { () throws(FileError) in
      let file = try FileHandle(path, O_RDWR)
      let (places, end) = try BlobFile.scan(file, item.reference)
      try file.truncate(to: Int(end))
      return (places, end)
    }
    usedBytes = usedBytes - item.bytes + end
    items[item.reference.id]?.bytes = end
    partials[item.reference.id] = Assembly(path: path, reference: item.reference, places: places, end: end)
  }

  /// Appends one record; on a fault the file is as before it, as far as anyone will read. Returns its bytes.
  private mutating func write(
    _ index: UInt64, _ bytes: [UInt8], hash: Digest, to assembly: inout Assembly
  ) throws(BlobFault) -> UInt64 {
    let (record, place) = BlobFile.record(index, bytes, hash: hash, at: assembly.end)
    try makeRoom(UInt64(record.count), keeping: assembly.reference?.id)
    let path = assembly.path
    let end = Int(assembly.end)
    try filed { () throws(FileError) in
      try Failpoint.reach(file: .blobLeaf)
      try FileHandle(path, O_WRONLY).write(record, at: end)
      try Failpoint.reach(file: .blobAfterLeaf)
    }
    assembly.places[index] = place
    assembly.end += UInt64(record.count)
    assembly.contentBytes += UInt64(bytes.count)
    return UInt64(record.count)
  }

  private mutating func sealIfComplete(_ id: ContentID) throws(BlobFault) -> BlobStatus {
    guard let assembly = partials[id], let reference = assembly.reference else { throw .unknown }
    let count = BlobLimits.leafCount(size: reference.size)
    let held = UInt64(assembly.places.count)
    if held < count { return .partial(size: reference.size, held: held, count: count) }
    try seal(assembly, as: reference)
    partials[id] = nil
    return .whole(size: reference.size)
  }

  /// Footer, header, sync, rename, sync of the directory: then the blob is whole. A failed sync drops the file.
  private mutating func seal(_ assembly: Assembly, as reference: BlobReference) throws(BlobFault) {
    let places = (0..<UInt64(assembly.places.count)).compactMap { assembly.places[$0] }
    let footer = BlobFile.footer(places)
    try makeRoom(UInt64(footer.count), keeping: reference.id)
    var item = Item(reference: reference, isWhole: true, bytes: assembly.end + UInt64(footer.count), used: 0)
    let target = path(item)
    let directory = root + "/whole"
    do throws(FileError) {
      let file = try FileHandle(assembly.path, O_WRONLY)
      try Failpoint.reach(file: .blobFooter)
      try file.write(BlobFile.header(reference), at: 0)
      try file.write(footer, at: Int(assembly.end))
      try file.sync()
      try Failpoint.reach(file: .blobAfterSync)
      try FileStorage.rename(assembly.path, to: target)
      try Failpoint.reach(file: .blobAfterRename)
      try FileStorage.syncDirectory(directory)
      try Failpoint.reach(file: .blobAfterDirectorySync)
    } catch {
      if case .broken = error.fault { try drop(assembly, target) }
      throw .store(error.fault)
    }
    if let old = items[reference.id] { usedBytes -= old.bytes }
    usedBytes += item.bytes
    clock += 1
    item.used = clock
    items[reference.id] = item
  }

  /// What a failed sync left is not believed: both names go.
  private mutating func drop(_ assembly: Assembly, _ target: String) throws(BlobFault) {
    if let id = assembly.reference?.id { forget(id) }
    try filed { () throws(FileError) in
      try FileStorage.remove(assembly.path)
      try FileStorage.remove(target)
    }
  }

  /// An upload that ends as a blob which is also being fetched takes its place.
  private mutating func discardPartial(of reference: BlobReference) throws(BlobFault) {
    if items[reference.id] != nil { try delete(reference.id) }
  }
}
