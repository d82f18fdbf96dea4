// Owns: what of a work a bidder must know before it sees the work.
import TallyBase
import TallyWire
import TallyWork

/// Architecture (1 x86-64, 2 aarch64, 0 unknown), sandbox (1 native, 2 WASM) and cores of a work.
struct WorkNeeds: Hashable, Sendable {
  let architecture: UInt8
  let sandbox: UInt8
  let cores: UInt16

  /// Bytes that are not a work need what nobody has: no host bids for architecture 0.
  init(of work: [UInt8]) {
    do throws(WorkSpecError) {
      let spec = try WorkSpec.parse(work)
      cores = UInt16(clamping: spec.cores)
      switch spec.root {
      case .tree(_, let name, _), .host(let name):
        architecture = Self.code(name)
        sandbox = 1
      case .wasm:
        architecture = 0
        sandbox = 2
      }
    } catch {
      architecture = 0
      sandbox = 1
      cores = 0
    }
  }

  static func code(_ name: String) -> UInt8 {
    switch name {
    case "x86_64": 1
    case "aarch64": 2
    default: 0
    }
  }
}
