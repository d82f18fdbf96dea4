// Owns: whether the words of a result fit each other: manifest, tree and claim must tell one story.
import TallyBase
import TallyWire
import TallyWork

/// A file that must arrive before a result is accepted, and the SHA-256 that the manifest demands of it.
struct ResultFile: Hashable, Sendable {
  let blob: BlobReference
  let sha256: Digest?
}

enum ResultFiles {
  /// Every distinct blob of the result; nil when the words do not fit the work, the task or each other.
  static func check(result: ResultMessage, work: [UInt8], index: UInt32, exit: Int32) -> [ResultFile]? {
    let manifest: Manifest
    let tree: Tree
    do throws(TextError) {
      manifest = try Manifest.parse(result.manifest)
      tree = try Tree.parse(result.tree)
    } catch {
      return nil
    }
    guard manifest.workHash == WorkHash.work(work), manifest.index == index, manifest.exit == exit else { return nil }
    var wanted: [[UInt8]: Manifest.File] = [:]
    for file in manifest.files { wanted[file.path] = file }
    var files: [ContentID: ResultFile] = [:]
    var counted = 0
    for line in tree.lines {
      guard case .file(let id, let size, let isExecutable) = line.node else { continue }
      guard let file = wanted[line.path], file.isExecutable == isExecutable else { return nil }
      counted += 1
      if let other = files[id], other.sha256 != file.sha256 { return nil }
      files[id] = ResultFile(blob: BlobReference(id: id, size: size), sha256: file.sha256)
    }
    guard counted == manifest.files.count else { return nil }
    for stream in [result.stdout, result.stderr] where files[stream.id] == nil {
      files[stream.id] = ResultFile(blob: stream, sha256: nil)
    }
    return files.keys.sorted().compactMap { files[$0] }
  }
}
