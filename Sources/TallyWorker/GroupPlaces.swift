// Owns: where this process stands in each control group hierarchy, and small reads and writes there.

import CWorker
import Glibc

/// This process's place in each hierarchy.
struct GroupPlaces {
  struct Place { let group: String, directory: String }
  let unified: Place?
  private let firsts: [(controller: String, place: Place)]

  func first(_ controller: String) -> Place? { firsts.first { $0.controller == controller }?.place }

  /// Reads /proc/self/mountinfo and /proc/self/cgroup.
  static func read() -> GroupPlaces {
    let mounts = GroupFile.lines("/proc/self/mountinfo").map { $0.split(separator: " ") }
    let own = GroupFile.lines("/proc/self/cgroup").map {
      $0.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
    }
    var unified: Place?
    var firsts: [(controller: String, place: Place)] = []
    for fields in mounts {
      // "… root mountpoint options [tags] - type source options"
      guard let dash = fields.firstIndex(of: "-"), fields.count > dash + 3, fields.count > 4 else { continue }
      let point = String(fields[4])
      if fields[dash + 1] == "cgroup2", let group = own.first(where: { $0.first == "0" })?.last {
        unified = Place(group: String(group), directory: group == "/" ? point : point + group)
      }
      guard fields[dash + 1] == "cgroup" else { continue }
      let options = fields[dash + 3].split(separator: ",")
      for controller in ["memory", "pids"] where options.contains(Substring(controller)) {
        let mine = own.first { $0.count == 3 && $0[1].split(separator: ",").contains(Substring(controller)) }
        guard let group = mine?.last else { continue }
        let place = Place(group: String(group), directory: group == "/" ? point : point + group)
        firsts.append((controller, place))
      }
    }
    return GroupPlaces(unified: unified, firsts: firsts)
  }

  /// Whether groups beneath `place` are ours to make.
  func isOurs(_ place: Place) -> Bool {
    // Safe: the name ends with NUL.
    guard unsafe access(SystemCall.name(place.directory), W_OK) == 0 else { return false }
    if geteuid() == 0, place.group == "/" { return true }
    for attribute in ["user.delegate", "trusted.delegate"] {
      // Safe: both names end with NUL.
      if unsafe worker_has_attribute(SystemCall.name(place.directory), SystemCall.name(attribute)) == 1 { return true }
    }
    guard geteuid() != 0 else { return false }
    do { return try SystemCall.look(through: place.directory).user == geteuid() } catch { return false }
  }
}

enum GroupFile {
  static func lines(_ path: String) -> [Substring] {
    guard let bytes = SystemCall.contents(ofSmall: path) else { return [] }
    return SystemCall.text(bytes).split(separator: "\n")
  }

  static func words(_ path: String) -> [String] {
    lines(path).flatMap { $0.split(separator: " ") }.map { String($0) }
  }

  /// The number after `key` in lines of `key value`; 0 when there is none.
  static func value(_ key: String, in path: String) -> UInt64 {
    for line in lines(path) {
      let words = line.split(separator: " ")
      if words.count == 2, words[0] == key { return UInt64(words[1]) ?? 0 }
    }
    return 0
  }

  static func write(_ text: String, to path: String) -> Bool {
    do {
      let file = try SystemCall.openControl(path: path)
      try SystemCall.write(Array(text.utf8), to: file.number, path: path)
      return true
    } catch {
      return false
    }
  }

  /// True when the directory is there afterwards.
  static func make(_ path: String) -> Bool {
    // Safe: the name ends with NUL.
    unsafe mkdir(SystemCall.name(path), 0o755) == 0 || errno == EEXIST
  }

  @discardableResult
  static func remove(_ path: String) -> Bool {
    // Safe: the name ends with NUL.
    unsafe rmdir(SystemCall.name(path)) == 0
  }

  static func handOver(_ directory: String, _ files: [String], to owner: JobUser?) {
    guard let owner else { return }
    for path in [directory] + files.map({ directory + "/" + $0 }) {
      // Safe: the name ends with NUL. A file that this kernel does not have stays away.
      _ = unsafe chown(SystemCall.name(path), owner.user, owner.group)
    }
  }
}
