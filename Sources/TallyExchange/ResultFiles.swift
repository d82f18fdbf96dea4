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
    guard var files = files(of: tree, as: manifest) else { return nil }
    for stream in [result.stdout, result.stderr] where files[stream.id] == nil {
      files[stream.id] = ResultFile(blob: stream, sha256: nil)
    }
    return files.keys.sorted().compactMap { files[$0] }
  }

  /// The tree must hold exactly what the manifest lists, of the same kinds: nothing that was not signed is fetched.
  private static func files(of tree: Tree, as manifest: Manifest) -> [ContentID: ResultFile]? {
    var wanted: [[UInt8]: Manifest.File] = [:]
    for file in manifest.files { wanted[file.path] = file }
    var links: [[UInt8]: [UInt8]] = [:]
    for link in manifest.links { links[link.path] = link.target }
    let directories = Set(manifest.directories)
    var files: [ContentID: ResultFile] = [:]
    for line in tree.lines {
      switch line.node {
      case .file(let id, let size, let isExecutable):
        guard let file = wanted[line.path], file.isExecutable == isExecutable else { return nil }
        if let other = files[id], other.sha256 != file.sha256 { return nil }
        files[id] = ResultFile(blob: BlobReference(id: id, size: size), sha256: file.sha256)
      case .link(let target):
        guard links[line.path] == target else { return nil }
      case .directory:
        guard directories.contains(line.path) else { return nil }
      }
    }
    let listed = manifest.files.count + manifest.links.count + manifest.directories.count
    return tree.lines.count == listed ? files : nil
  }
}
