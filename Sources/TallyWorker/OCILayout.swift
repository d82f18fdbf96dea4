// Owns: finding the layers of an image in an OCI image layout, each checked against its digest.
// OCI image-spec 1.0, image-layout.md and manifest.md. Refuses to know: registries; what a layer holds.

import CWorker
import Glibc
import TallyBase

/// One image of a layout directory.
struct OCILayout {
  /// Paths of the layers' archives, lowest first.
  let layers: [String]

  /// Reads `index.json` and the manifest for `architecture` (as the spec spells it: `amd64`, `arm64`).
  init(directory: String, architecture: String) throws(WorkerFault) {
    let index = try Self.json(path: directory + "/index.json")
    let manifest = try Self.manifest(in: index, directory: directory, architecture: architecture, depth: 0)
    guard let found = manifest["layers"]?.items, !found.isEmpty, found.count <= 256 else {
      throw .unsafeTree(path: directory, why: "an image without layers")
    }
    var layers: [String] = []
    for layer in found { layers.append(try Self.blob(layer["digest"]?.text, directory: directory)) }
    self.layers = layers
  }

  private static func manifest(
    in index: SimpleJSON, directory: String, architecture: String, depth: Int
  ) throws(WorkerFault) -> SimpleJSON {
    let all = index["manifests"]?.items ?? []
    let fitting = all.first { entry in
      guard let said = entry["platform"]?["architecture"]?.text else { return all.count == 1 }
      return said == architecture
    }
    guard let fitting, depth < 3 else {
      throw .unsafeTree(path: directory, why: "no image for \(architecture) in the layout's index")
    }
    let path = try blob(fitting["digest"]?.text, directory: directory)
    let found = try json(path: path)
    if found["layers"] != nil { return found }
    return try manifest(in: found, directory: directory, architecture: architecture, depth: depth + 1)
  }

  /// `sha256:HEX` as a path, once the file has that hash.
  private static func blob(
    _ text: String?, directory: String
  ) throws(WorkerFault) -> String {
    guard let text, text.hasPrefix("sha256:"), let digest = Digest(hex: text.dropFirst(7)) else {
      throw .unsafeTree(path: directory, why: "a digest that is not sha256:…")
    }
    let path = "\(directory)/blobs/sha256/\(digest.hex)"
    var nowhere = NoSink()
    var writer = BlobWriter()
    try writer.drain(SystemCall.openFile(path: path), to: &nowhere)
    guard try writer.finish(to: &nowhere).sha256 == digest else {
      throw .unsafeTree(path: path, why: "its bytes have another SHA-256 than its name")
    }
    return path
  }

  private static func json(path: String) throws(WorkerFault) -> SimpleJSON {
    let file = try SystemCall.openFile(path: path)
    let bytes = try SystemCall.readFull(file.number, count: 1 << 20)
    if let value = SimpleJSON.parse(bytes) { return value }
    throw .unsafeTree(path: path, why: "not the JSON of an image layout")
  }
}

extension TreeBuilder {
  /// Adds the image for this machine in the OCI layout at `path`, layer by layer.
  public mutating func add(ociLayout path: String) throws(WorkerFault) {
    let architecture = TaskRunner.architecture == "x86_64" ? "amd64" : "arm64"
    for layer in try OCILayout(directory: path, architecture: architecture).layers {
      try add(archive: layer, isLayer: true)
    }
  }

  /// Adds whatever stands at `path`: an OCI layout, another directory, or a tar archive.
  public mutating func add(path: String) throws(WorkerFault) {
    guard Folders.isDirectory(try SystemCall.look(through: path)) else { return try add(archive: path) }
    // Safe: the name ends with NUL.
    if unsafe access(SystemCall.name(path + "/oci-layout"), F_OK) == 0 { return try add(ociLayout: path) }
    try add(directory: path)
  }
}
