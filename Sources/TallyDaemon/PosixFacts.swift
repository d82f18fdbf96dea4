// Owns: what the daemon asks the machine about itself, and the one line it tells its starter.
import Glibc
import TallyBase
import TallyExchange
import TallyNet
import TallyWire

enum PosixFacts {
  static func variable(_ name: String) -> String? {
    // Safe: the environment is not changed while another thread runs; the text is copied at once.
    guard let text = unsafe getenv(name) else { return nil }
    return unsafe String(cString: text)
  }

  /// What cannot be written is nobody's to tell.
  static func write(_ text: String, to descriptor: CInt) {
    let bytes = Array(text.utf8)
    // Safe: `bytes.count` bytes are read from an array that outlives the call.
    _ = unsafe Glibc.write(descriptor, bytes, bytes.count)
  }
}

/// The pipe on which `tally up` waits. TALLY_READY_FD names it.
enum ReadyPipe {
  static func tell(_ line: String) {
    guard let text = PosixFacts.variable("TALLY_READY_FD"), let number = CInt(text) else { return }
    PosixFacts.write(line + "\n", to: number)
    _ = Glibc.close(number)
  }
}

enum HostFacts {
  static var architecture: Architecture {
    #if arch(x86_64)
      .x8664
    #elseif arch(arm64)
      .aarch64
    #else
      .other
    #endif
  }

  /// What this host tells the mesh about itself.
  static func attributes(_ config: DaemonConfig, _ policy: LendPolicy, worker: WorkerFacts?) -> Attributes {
    Attributes(
      petname: config.name, architecture: architecture, cores: policy.lends ? policy.cores : 0,
      memoryMiB: policy.lends ? policy.memoryMiB : 0, lends: policy.lends, roots: .any,
      nativeSandbox: worker?.nativeSandbox ?? false, wasmSandbox: worker?.wasmSandbox ?? false)
  }

  private static var localAddresses: [Address] {
    do throws(SystemError) {
      return try LocalAddresses.all()
    } catch {
      Log.warning("own addresses: \(error.text)")
      return []
    }
  }

  /// Addresses others can dial, from those this host listens at: a wildcard stands for every address of the machine.
  static func advertisable(_ bound: [Endpoint]) -> [Endpoint] {
    var result: [Endpoint] = []
    for endpoint in bound {
      if endpoint.address.scope != .none {
        result.append(endpoint)
      } else {
        for address in localAddresses where address.isV4 || !endpoint.address.isV4 {
          result.append(Endpoint(address: address, port: endpoint.port))
        }
      }
    }
    return NodeRecord.canonical(result)
  }
}
