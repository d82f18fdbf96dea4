// Owns: the blobs under `blobs/`: which are held, who is in use, what may go when room is needed. Used on one store
// thread. `whole/` holds finished blobs by content ID, `partial/` those being fetched, `staging/` uploads of this
// process; a file enters `whole/` by rename after its sync, so every whole blob is durable. DESIGN sections 10 and 11.
// Refuses to know: why a blob is kept (the node pins), and who asks for it.
import Glibc
import TallyBase
import TallyLog
import TallyWire

public struct BlobStore: ~Copyable, Sendable {
  struct Item: Sendable {
    let reference: BlobReference
    let isWhole: Bool
    /// Bytes of the file.
    var bytes: UInt64
    /// Grows with each use; the least goes first.
    var used: UInt64
  }

  /// A file that leaves are appended to.
  struct Assembly: Sendable {
    let path: String
    /// nil in an upload: name and size are known at its end.
    let reference: BlobReference?
    var places: [UInt64: BlobPlace] = [:]
    var end: UInt64
    /// Bytes of content so far; an upload's next leaf is `places.count`.
    var contentBytes: UInt64 = 0
  }

  struct Loaded: Sendable {
    let places: [BlobPlace]
    let tree: BlobTree
  }

  let root: String
  /// Bytes of all files together, at rest.
  public let quotaBytes: UInt64
  public internal(set) var usedBytes: UInt64 = 0
  var items: [ContentID: Item] = [:]
  var pins: Set<ContentID> = []
  var partials: [ContentID: Assembly] = [:]
  var stagings: [StagingID: Assembly] = [:]
  var loaded: [ContentID: Loaded] = [:]
  var clock: UInt64 = 0

  /// Opens the blobs of a locked directory. Uploads that were not finished are removed. Pin what must stay before
  /// anything is stored.
  public init(_ directory: borrowing DataDirectory, quotaBytes: UInt64) throws(StoreError) {
    root = directory.blobsPath
    self.quotaBytes = quotaBytes
    let root = root
    let found = try StoreError.filed { () throws(FileError) in
      for path in [root, root + "/whole", root + "/partial", root + "/staging"] {
        if try FileStorage.statusIfAny(path) == nil { try FileStorage.makeDirectory(path) }
      }
      for name in try FileStorage.list(root + "/staging") { try FileStorage.remove(root + "/staging/" + name) }
      return try Self.survey(root, isWhole: true) + Self.survey(root, isWhole: false)
    }
    for (item, _) in found.sorted(by: { ($0.1, $0.0.reference.id) < ($1.1, $1.0.reference.id) }) {
      if items[item.reference.id]?.isWhole == true { continue }
      clock += 1
      var item = item
      item.used = clock
      usedBytes += item.bytes
      items[item.reference.id] = item
    }
  }

  /// What lies in one directory, with the time of last use. A file that is not a blob of its name is removed.
  private static func survey(_ root: String, isWhole: Bool) throws(FileError) -> [(Item, Int64)] {
    let directory = root + (isWhole ? "/whole/" : "/partial/")
    var found: [(Item, Int64)] = []
    for name in try FileStorage.list(directory) {
      let path = directory + name
      let status = try FileStorage.status(path)
      let reference = try BlobFile.readHeader(FileHandle(path, O_RDONLY))
      guard let reference, reference.id.hex == name else {
        try FileStorage.remove(path)
        continue
      }
      let item = Item(reference: reference, isWhole: isWhole, bytes: UInt64(status.size), used: 0)
      found.append((item, status.modifiedNanos))
    }
    return found
  }

  // MARK: What is held

  /// nil when nothing of it is here. The empty blob is always whole.
  public func status(_ id: ContentID) -> BlobStatus? {
    if id == Self.emptyID { return .whole(size: 0) }
    guard let item = items[id] else { return nil }
    if item.isWhole { return .whole(size: item.reference.size) }
    let count = BlobLimits.leafCount(size: item.reference.size)
    return .partial(size: item.reference.size, held: UInt64(partials[id]?.places.count ?? 0), count: count)
  }

  public func isWhole(_ id: ContentID) -> Bool { id == Self.emptyID || items[id]?.isWhole == true }

  /// Whole blobs, sorted by content ID.
  public var list: [BlobReference] {
    items.values.filter(\.isWhole).map(\.reference).sorted { $0.id < $1.id }
  }

  // MARK: Pins

  /// A pinned blob is never evicted; it need not be here yet.
  public mutating func pin(_ id: ContentID) throws(BlobFault) {
    guard pins.contains(id) || pins.count < BlobStoreLimits.blobs else {
      throw .tooMany(limit: BlobStoreLimits.blobs)
    }
    pins.insert(id)
  }

  public mutating func unpin(_ id: ContentID) { pins.remove(id) }
  public func isPinned(_ id: ContentID) -> Bool { pins.contains(id) }

  /// Removes a blob, whole or partial, pinned or not. Nothing to remove is no error.
  public mutating func delete(_ id: ContentID) throws(BlobFault) {
    guard let item = items[id] else { return }
    let path = path(item)
    try filed { () throws(FileError) in try FileStorage.remove(path) }
    forget(id)
  }

  // MARK: Room

  /// Evicts unpinned blobs, least recently used first, until `bytes` more fit; `keeping` stays whatever it is.
  mutating func makeRoom(_ bytes: UInt64, keeping: ContentID?) throws(BlobFault) {
    if usedBytes + bytes <= quotaBytes { return }
    let candidates = items.values.filter { !pins.contains($0.reference.id) && $0.reference.id != keeping }
    let spare = candidates.reduce(0) { $0 + $1.bytes }
    guard usedBytes - spare + bytes <= quotaBytes else { throw .quota(needed: bytes, limit: quotaBytes) }
    for item in candidates.sorted(by: { $0.used < $1.used }) {
      if usedBytes + bytes <= quotaBytes { return }
      try delete(item.reference.id)
    }
  }

  mutating func forget(_ id: ContentID) {
    usedBytes -= items[id]?.bytes ?? 0
    items[id] = nil
    partials[id] = nil
    loaded[id] = nil
  }

  mutating func use(_ id: ContentID) {
    clock += 1
    items[id]?.used = clock
  }

  func path(_ item: Item) -> String { root + (item.isWhole ? "/whole/" : "/partial/") + item.reference.id.hex }

  /// Runs file calls; what they throw is a store fault.
  func filed<Result: ~Copyable>(_ body: () throws(FileError) -> Result) throws(BlobFault) -> Result {
    do throws(FileError) { return try body() } catch { throw .store(error.fault) }
  }
}
