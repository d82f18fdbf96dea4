// Owns: the blob thread: leaves are checked, stored, read and hashed here, so that their bytes never wait on the loop.
import TallyBase
import TallyCrypto
import TallyLog
import TallyNet
import TallyNode
import TallyStore
import TallyWire

enum BlobWorker {
  static func run(_ jobs: Mailbox<BlobJob>, _ store: Owned<BlobStore>, _ results: Mailbox<ThreadResult>) {
    Threads.serve(jobs) { batch in
      for job in batch {
        if let result = store.use({ carryOut(job, &$0) }) { Threads.leave(result, in: results) }
      }
    }
  }

  private static func carryOut(_ job: BlobJob, _ store: inout BlobStore) -> ThreadResult? {
    switch job {
    case .arrive(let content, let leaf, let peer): return arrive(content, leaf, peer, &store)
    case .serve(let id, let leaf, let peer): return .leafRead(id, leaf: leaf, for: peer, content(id, leaf, &store))
    case .check(let blob): return .fileChecked(blob.id, sha256(of: blob, &store))
    case .abandon(let stagings):
      for staging in stagings {
        do throws(BlobFault) { try store.abandon(staging) } catch { continue }  // Finished before, or never begun.
      }
      return nil
    case .begin(let tag): return answer(tag) { () throws(BlobFault) in .staging(try store.beginStaging()) }
    case .put(let tag, let staging, let bytes):
      return answer(tag) { () throws(BlobFault) in
        try store.put(bytes, to: staging)
        return .done
      }
    case .finish(let tag, let staging):
      return answer(tag) { () throws(BlobFault) in .reference(try store.finish(staging)) }
    case .get(let tag, let id, let leaf):
      return answer(tag) { () throws(BlobFault) in
        let (reference, bytes) = try store.heldLeaf(UInt64(leaf), of: id)
        return .leaf(reference, leaf: leaf, bytes)
      }
    case .stat(let tag, let id): return .blobAnswer(tag, .success(.status(id, store.status(id))))
    }
  }

  private static func answer(_ tag: AdminTag, _ body: () throws(BlobFault) -> BlobAnswer) -> ThreadResult {
    do throws(BlobFault) {
      return .blobAnswer(tag, .success(try body()))
    } catch {
      return .blobAnswer(tag, .failure(error))
    }
  }

  private static func arrive(
    _ content: LeafContent, _ leaf: UInt32, _ peer: PublicKey, _ store: inout BlobStore
  ) -> ThreadResult {
    do throws(BlobFault) {
      _ = try store.begin(content.blob)
      _ = try store.put(leaf: UInt64(leaf), of: content.blob.id, bytes: content.bytes, path: content.path)
      return .blobStored(content.blob, leaf: leaf)
    } catch {
      return .blobRefused(content.blob.id, leaf: leaf, from: peer)
    }
  }

  private static func content(_ id: ContentID, _ leaf: UInt32, _ store: inout BlobStore) -> LeafContent? {
    do throws(BlobFault) {
      let found = try store.leaf(UInt64(leaf), of: id)
      return LeafContent(blob: found.reference, path: found.path, bytes: found.bytes)
    } catch {
      return nil
    }
  }

  /// The SHA-256 of all bytes of a complete blob; nil while leaves are missing.
  private static func sha256(of blob: BlobReference, _ store: inout BlobStore) -> Digest? {
    if blob.size == 0 { return blob.id == BlobStore.emptyID ? SHA256Hash.hash([]) : nil }
    do throws(BlobFault) {
      guard case .whole(let size) = store.status(blob.id), size == blob.size else { return nil }
      var stream = SHA256Stream()
      for index in 0..<BlobLimits.leafCount(size: size) { stream.update(try store.leaf(index, of: blob.id).bytes) }
      return stream.finish()
    } catch {
      return nil
    }
  }
}
