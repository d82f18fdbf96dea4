// Owns: reading a directory of this machine into a tree, by descriptors, following no link but the operator's own path.

import CWorker
import Glibc
import TallyWork

extension TreeBuilder {
  /// Adds all that is beneath `path`. Owners, times and modes but the execute bit are left behind.
  public mutating func add(directory path: String) throws(WorkerFault) {
    try walk(SystemCall.openDirectory(path: path), names: [])
  }

  private mutating func walk(_ directory: Descriptor, names: [[UInt8]]) throws(WorkerFault) {
    for name in try SystemCall.names(in: directory) {
      let place = names + [name]
      guard let path = TreePath(Array(place.joined(separator: [UInt8(ascii: "/")]))) else {
        throw .unsafeTree(path: SystemCall.text(name), why: "too deep or too long")
      }
      if !wants(path) { continue }
      let file = try SystemCall.look(name, in: directory)
      if Folders.isDirectory(file) {
        try addDirectory(path)
        try walk(SystemCall.openDirectory(name, in: directory), names: place)
      } else if Folders.isLink(file) {
        try addLink(path, target: SystemCall.linkTarget(name, in: directory))
      } else if Folders.isRegular(file) {
        let opened = try SystemCall.openFile(name, in: directory)
        try addFile(path, isExecutable: file.mode & 0o111 != 0) { () throws(WorkerFault) in
          try SystemCall.read(opened.number, count: 256 << 10) ?? []
        }
      } else {
        skip(path.bytes, why: "neither file, directory nor link")
      }
    }
  }
}
