// tally.toml: flags beat environment beat file beat default; mistakes name place and fix.
import TallyAdmin
import TallyBase
import TallyExchange
import Testing

@testable import TallyDaemon

@Suite struct ConfigTests {
  private let machine = DaemonConfig.Machine(name: "box", cores: 8, memoryMiB: 16_000)

  private func load(
    _ text: String = "", flags: [DaemonConfig.Flag] = [], _ variables: [String: String] = [:]
  ) throws(ConfigError) -> DaemonConfig {
    try DaemonConfig.make(
      layout: DataLayout(directory: "/data"), text: text, path: "/data/tally.toml", flags: flags,
      variable: { variables[$0] }, machine: machine)
  }

  private func origin(_ config: DaemonConfig, _ key: ConfigKey) -> ConfigOrigin? {
    config.settings.first { $0.key == key }?.origin
  }

  @Test func defaults() throws {
    let config = try load()
    #expect(config.name == "box" && config.listen == [Endpoint("0.0.0.0:8255")!] && config.seeds.isEmpty)
    #expect(config.adminSocket == "/data/admin.sock" && config.workerSocket == "/data/worker.sock")
    #expect(config.adminMode == 0o600 && config.adminGroup == nil && config.operators.isEmpty)
    #expect(!config.lend.lends && config.lend.cores == 8 && config.lend.memoryMiB == 8_000 && config.lend.slots == 1)
    #expect(config.logLevel == .info && config.settings.count == ConfigKey.allCases.count)
    #expect(config.settings.allSatisfy { $0.origin == .byDefault })
  }

  @Test func theStrongerOriginWins() throws {
    let file = "# comment\n[node]\nname = \"file\"\n\n[lend]\ncores = 2\n  slots = 3\n"
    let inFile = try load(file)
    #expect(inFile.name == "file" && origin(inFile, .nodeName) == .file("tally.toml", line: 3))
    #expect(origin(inFile, .lendSlots) == .file("tally.toml", line: 7))
    let inEnvironment = try load(file, ["TALLY_NODE_NAME": "env", "TALLY_LEND_CORES": "4"])
    #expect(inEnvironment.name == "env" && inEnvironment.lend.cores == 4 && inEnvironment.lend.slots == 3)
    #expect(origin(inEnvironment, .lendCores) == .environment("TALLY_LEND_CORES"))
    let flag = DaemonConfig.Flag(.nodeName, name: "--name", values: ["flag"])
    let all = try load(file, flags: [flag], ["TALLY_NODE_NAME": "env"])
    #expect(all.name == "flag" && origin(all, .nodeName) == .flag("--name"))
    let listen = DaemonConfig.Flag(.listenAt, name: "--listen", values: ["127.0.0.1:1", "[::1]:2"])
    let lists = try load("[listen]\nat = [\"0.0.0.0:9\"]\n", flags: [listen])
    #expect(lists.listen.map(\.description) == ["127.0.0.1:1", "[::1]:2"], "a list is not merged")
    #expect(try load("", ["TALLY_LISTEN_AT": "127.0.0.1:1,127.0.0.1:2"]).listen.count == 2)
  }

  @Test func mistakesNamePlaceAndFix() {
    let cases: [(text: String, says: String)] = [
      ("[listen]\nat = [\"0.0.0.0:1\"]\n\n[node]\nnane = \"x\"\n", "tally.toml:5: unknown key 'nane'; did you mean 'name'?"),
      ("[nodes]\nname = \"x\"\n", "tally.toml:1: unknown section 'nodes'; did you mean 'node'?"),
      ("[node]\nqqqqqqqq = 1\n", "tally.toml:2: unknown key 'qqqqqqqq'"),
      ("name = \"x\"\n", "tally.toml:1: unknown section 'name'"),
      ("[node]\nname = 7\n", "tally.toml:2: node.name must be a string"),
      ("[lend]\non = \"yes\"\n", "tally.toml:2: lend.on must be true or false"),
      ("[lend]\ncores = -1\n", "tally.toml:2: lend.cores = -1 is out of range"),
      ("[lend]\nslots = 0\n", "tally.toml:2: lend.slots = 0 is out of range"),
      ("[listen]\nat = \"0.0.0.0:1\"\n", "tally.toml:2: listen.at must be a list of strings"),
      ("[listen]\nat = [1]\n", "tally.toml:2: listen.at must be a list of strings"),
      ("[listen]\nat = []\n", "tally.toml:2: listen.at is empty"),
      ("[listen]\nat = [\"localhost\"]\n", "tally.toml:2: 'localhost' is not an address with a port"),
      ("[node]\nname = \"A b\"\n", "tally.toml:2: 'A b' cannot be a host's name"),
      ("[join]\nseeds = [\"http://x\"]\n", "tally.toml:2: a seed is no invite"),
      ("[admin]\nmode = \"0666\"\n", "tally.toml:2: '0666' would let everybody on this machine connect"),
      ("[admin]\nmode = \"rw\"\n", "tally.toml:2: 'rw' is not a mode"),
      ("[admin]\noperators = [\"bob\"]\n", "tally.toml:2: 'bob' names nobody"),
      ("[admin]\ngroup = \"no-such-group-here\"\n", "tally.toml:2: there is no group"),
      ("[log]\nlevel = \"loud\"\n", "tally.toml:2: 'loud' is not a level"),
      ("[node\nname = 1\n", "tally.toml:1: "), ("[node]\nname = \"a\"\nname = \"b\"\n", "tally.toml:3: "),
    ]
    for (text, says) in cases {
      do throws(ConfigError) {
        _ = try load(text)
        Issue.record("accepted: \(text)")
      } catch {
        #expect("\(error)".hasPrefix(says), "\(error) should begin with \(says)")
        #expect(!error.fix.isEmpty, "\(says) has no fix")
      }
    }
  }

  @Test func mistakesInTheEnvironmentNameTheVariable() {
    #expect { _ = try load("", ["TALLY_LEND_CORES": "many"]) } throws: {
      "\($0)".hasPrefix("TALLY_LEND_CORES: lend.cores must be a whole number from 0 to 1024, not 'many'")
    }
    #expect { _ = try load("", ["TALLY_LEND_ON": "perhaps"]) } throws: { "\($0)".hasPrefix("TALLY_LEND_ON: ") }
  }

  @Test func groupsAndUsersOperate() throws {
    let config = try load("[admin]\nmode = \"0660\"\ngroup = \"root\"\noperators = [\"group:0\", \"uid:1000\"]\n")
    #expect(config.adminGroup == 0 && config.adminMode == 0o660 && config.workerMode == 0o660)
    #expect(config.operatorGroups == [0] && config.operatorUsers == [1000])
    let socket = try load("[admin]\nsocket = \"/run/tally/admin.sock\"\n")
    #expect(socket.workerSocket == "/run/tally/worker.sock", "the worker's socket lies beside")
  }

  @Test func everySettingIsDocumentedAndReachable() throws {
    for key in ConfigKey.allCases {
      #expect(!key.summary.isEmpty && key.variable == "TALLY_" + key.rawValue.uppercased().replacing(".", with: "_"))
    }
    #expect(DaemonConfig.Machine.petname(Array("My Box_1.lan\n".utf8)) == "my-box-1")
    #expect(DaemonConfig.Machine.petname([]) == "host")
  }
}
