// mesh.toml: what is written is read, only its owner may read it, and damage is named.
import Foundation
import Glibc
import TallyGossip
import Testing

@testable import TallyAdmin

@Suite struct MeshFileTests {
  private func temporary() -> String { "/tmp/tally-mesh-test-\(getpid())-\(UInt32.random(in: 0...UInt32.max))" }
  private let mesh = MeshFile(
    name: "lab.one", nonce: [UInt8](0..<16), keys: [[UInt8](repeating: 7, count: 32), [UInt8](repeating: 9, count: 32)])

  @Test func roundTripAndMode() throws {
    let path = temporary()
    defer { unsafe unlink(path) }
    try mesh.save(path)
    var status = stat()
    #expect(unsafe stat(path, &status) == 0 && status.st_mode & 0o777 == 0o600)
    let read = try MeshFile.load(path)
    #expect(read == mesh)
    #expect(try MeshFile.load(path + "-absent") == nil)
    #expect(unsafe chmod(path, 0o644) == 0)
    #expect { _ = try MeshFile.load(path) } throws: { ($0 as? MeshFile.Fault)?.fix == "chmod 600 \(path)" }
  }

  @Test func openMeshHasNoKeys() throws {
    let open = MeshFile(name: "open", nonce: [UInt8](repeating: 1, count: 16), keys: [])
    #expect(open.isOpen)
    let read = try MeshFile(parsing: open.text, path: "x")
    #expect(read == open)
  }

  @Test func damageIsNamed() {
    let good = mesh.text
    for (text, says) in [
      ("", "name"), (good.replacingOccurrences(of: "lab.one", with: "Lab"), "name"),
      (good.replacingOccurrences(of: "nonce = \"00", with: "nonce = \""), "nonce"),
      (good.replacingOccurrences(of: "0707", with: "07x7"), "mesh key"), (good + "name = \"b\"\n", "line 5"),
      (good + "other = 1\n", "line 5"), (good.replacingOccurrences(of: "keys = [", with: "keys = "), "list"),
    ] {
      do throws(MeshFile.Fault) {
        _ = try MeshFile(parsing: text, path: "mesh.toml")
        Issue.record("accepted: \(text)")
      } catch {
        #expect(error.why.contains(says), "\(error.why) should say \(says)")
      }
    }
    let key = String(repeating: "ab", count: 32)
    let four = "name = \"a\"\nnonce = \"\(String(repeating: "00", count: 16))\"\nkeys = [\""
      + [key, key, key, key].joined(separator: "\", \"") + "\"]\n"
    #expect { _ = try MeshFile(parsing: four, path: "x") } throws: {
      ($0 as? MeshFile.Fault)?.why.contains("limit is \(MeshFile.keysMax)") == true
    }
  }

  @Test func replacingAFileLeavesNothingBeside() throws {
    let directory = temporary()
    try PrivateFile.makeDirectories(directory + "/a/b")
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let path = directory + "/a/b/file"
    try PrivateFile.write([1, 2, 3], to: path, mode: 0o600)
    try PrivateFile.write([4], to: path, mode: 0o640)
    #expect(try PrivateFile.readIfAny(path) == [4])
    #expect(try FileManager.default.contentsOfDirectory(atPath: directory + "/a/b") == ["file"])
    #expect { try PrivateFile.write([1], to: directory + "/none/x", mode: 0o600) } throws: {
      ($0 as? PrivateFile.Fault)?.code == ENOENT
    }
    try PrivateFile.write([UInt8](repeating: 0, count: PrivateFile.sizeMax + 1), to: path, mode: 0o600)
    #expect { _ = try PrivateFile.readIfAny(path) } throws: { ($0 as? PrivateFile.Fault)?.code == EFBIG }
  }

  @Test func layoutFollowsTheEnvironment() {
    let find = { (values: [String: String]) in DataLayout.standard { values[$0] }?.directory }
    #expect(find(["TALLY_HOME": "/a/", "XDG_STATE_HOME": "/b", "HOME": "/c"]) == "/a")
    #expect(find(["TALLY_HOME": "", "XDG_STATE_HOME": "/b", "HOME": "/c"]) == "/b/tally")
    #expect(find(["HOME": "/c"]) == "/c/.local/state/tally")
    #expect(find([:]) == nil)
  }
}
