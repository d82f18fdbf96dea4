// Owns: what is opened before a node can be made: directory, identity, database, blobs, history.
import TallyBase
import TallyLog
import TallyNet
import TallyNode
import TallyStore
import TallyWire

struct OpenedStore {
  let directory: Owned<DataDirectory>
  let writer: Owned<StoreWriter>
  let reader: Owned<StoreReader>
  let blobs: Owned<BlobStore>
  let recovered: Recovered
  let seed: [UInt8]

  init(_ config: DaemonConfig) throws(DaemonFailure) {
    do throws(StoreError) {
      let directory = try DataDirectory(config.dataDirectory)
      let known = try directory.identitySeed()
      let fresh = known == nil ? try Self.freshSeed() : []
      if known == nil { try directory.createIdentity(seed: fresh) }
      var writer = try StoreWriter(directory)
      let recovered = try writer.recover()
      let reader = try StoreReader(directory)
      let blobs = try BlobStore(directory, quotaBytes: config.blobQuotaBytes)
      seed = known ?? fresh
      self.recovered = recovered
      self.reader = Owned(reader)
      self.blobs = Owned(blobs)
      self.writer = Owned(writer)
      self.directory = Owned(directory)
    } catch {
      throw Self.failure(error, config)
    }
  }

  private static func freshSeed() throws(StoreError) -> [UInt8] {
    do throws(SystemError) {
      return try SystemEntropy.seed().seed.bytes
    } catch {
      throw .store(.broken(detail: "no entropy: \(error.text)"))
    }
  }

  private static func failure(_ error: StoreError, _ config: DaemonConfig) -> DaemonFailure {
    switch error {
    case .locked:
      DaemonFailure(
        DaemonFailure.tryAgain, "cannot use \(config.dataDirectory)", why: "another tallyd runs on it",
        fix: "stop that one (tally down --data \(config.dataDirectory)), or give this one a directory of its own")
    case .exposed(let path, _, let isDirectory):
      DaemonFailure(
        DaemonFailure.noPermission, "\(path) may be read by others", why: "it holds this host's secrets",
        fix: "chmod \(isDirectory ? "700" : "600") \(path)")
    default:
      DaemonFailure(
        DaemonFailure.inputOutput, "cannot open the store in \(config.dataDirectory)", why: "\(error)",
        fix: "see the reason; `tally doctor` is not there yet")
    }
  }

  /// Hands the whole history to the node before it starts.
  func replay(into node: inout Node, now: Instant, outbox: inout Outbox) throws(DaemonFailure) {
    var box = outbox
    let fault = writer.use { (writer) -> StoreError? in
      do throws(StoreError) {
        try writer.replay { feed, from, entries in
          node.handle(.replay(feed: feed, from: from, entries: entries), now: now, into: &box)
        }
        return nil
      } catch {
        return error
      }
    }
    outbox = box
    if let fault {
      throw DaemonFailure(
        DaemonFailure.inputOutput, "the ledger cannot be read", why: "\(fault)",
        fix: "mend the disk or restore a backup")
    }
  }
}
