// Owns: what the daemon asks the machine about itself, and the one line it tells its starter.
import Glibc
import TallyBase
import TallyExchange
import TallyNet
import TallyWire

/// The pipe on which `tally up` waits. TALLY_READY_FD names it.
enum ReadyPipe {
  static func tell(_ line: String) {
    // Safe: the environment is not changed while another thread runs; the text is copied at once.
    guard let text = unsafe getenv("TALLY_READY_FD"), let number = unsafe CInt(String(cString: text)) else { return }
    let bytes = Array((line + "\n").utf8)
    // Safe: `bytes.count` bytes are read from an array that outlives the call.
    _ = unsafe Glibc.write(number, bytes, bytes.count)
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
      architecture: architecture, lends: policy.lends, roots: .any, nativeSandbox: worker?.nativeSandbox ?? false,
      wasmSandbox: worker?.wasmSandbox ?? false, cores: policy.lends ? policy.cores : 0,
      memoryMiB: policy.lends ? policy.memoryMiB : 0, petname: config.name)
  }

  /// Addresses others can dial, from those this host listens at: a wildcard stands for every address of the machine.
  static func advertisable(_ bound: [Endpoint]) -> [Endpoint] {
    var result: [Endpoint] = []
    for endpoint in bound {
      if endpoint.address.scope != .none {
        result.append(endpoint)
      } else {
        for address in LocalAddresses.all where address.isV4 || !endpoint.address.isV4 {
          result.append(Endpoint(address: address, port: endpoint.port))
        }
      }
    }
    return NodeRecord.canonical(result)
  }
}
