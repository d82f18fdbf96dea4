// swift-tools-version: 6.2
// One row per module, in the order of DESIGN: an import may only point upward in this list.
// `make tidy` reads these rows and fails on an import that is not here.
import PackageDescription

/// Every target of ours builds with these: memory safety is spelled out and a warning is an error.
let strict: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .strictMemorySafety(),
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("ExistentialAny"),
  .enableExperimentalFeature("Lifetimes"),
]

let collections = "swift-collections"
let deque: Target.Dependency = .product(name: "DequeModule", package: collections)
let heap: Target.Dependency = .product(name: "HeapModule", package: collections)
let ordered: Target.Dependency = .product(name: "OrderedCollections", package: collections)
let arguments: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")

/// A Swift library of ours.
func module(
  _ name: String, _ dependencies: [Target.Dependency] = [], _ more: [SwiftSetting] = []
) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: strict + more)
}

/// A program of ours: it parses its words and calls a module.
func program(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .executableTarget(name: name, dependencies: dependencies, swiftSettings: strict)
}

/// Tests may force-unwrap, but they are compiled as strictly as the code.
func tests(_ name: String, _ dependencies: [Target.Dependency], _ more: [SwiftSetting] = []) -> Target {
  .testTarget(name: name, dependencies: dependencies, swiftSettings: strict + more)
}

/// Named places where a test stops the process or fails a call; a release build has none of them.
let failpoints: SwiftSetting = .define("TALLY_FAILPOINTS", .when(configuration: .debug))

let pure: [Target.Dependency] = ["TallyBase", "TallyCrypto", "TallyWire"]

let package = Package(
  name: "tally",
  products: [
    .executable(name: "tallyd", targets: ["tallyd"]),
    .executable(name: "tally", targets: ["tally"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-collections", exact: "1.6.0"),
    .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
    .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
  ],
  targets: [
    // C shims: plain structs in and out, never unions.
    .target(name: "CLinux"),
    .systemLibrary(name: "CSodium", pkgConfig: "libsodium", providers: [.apt(["libsodium-dev"])]),
    .target(name: "CSHA", linkerSettings: [.linkedLibrary("crypto")]),
    .systemLibrary(name: "CLZ4", pkgConfig: "liblz4", providers: [.apt(["liblz4-dev"])]),
    .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
    .target(name: "CWorker", linkerSettings: [.linkedLibrary("crypto")]),
    .systemLibrary(name: "CArchive", pkgConfig: "libarchive", providers: [.apt(["libarchive-dev"])]),

    // Sans-IO: no Glibc, no Foundation.
    module("TallyBase"),
    module("TallyTOML"),
    module("TallyCrypto", ["TallyBase", "CSodium", "CSHA"]),
    module("TallyWire", ["TallyBase"]),
    module("TallySession", pure + ["CLZ4"]),
    module("TallyTable", pure),
    module("TallyGossip", pure),
    module("TallyLog", pure),
    module("TallyWork", pure + ["TallyLog"]),
    module("TallyExchange", pure + ["TallyLog", "TallyWork"]),
    module(
      "TallyNode",
      pure + ["TallySession", "TallyTable", "TallyGossip", "TallyLog", "TallyWork", "TallyExchange"]),

    // The outside world.
    module("TallyStore", pure + ["TallyLog", "CSQLite", "CLZ4"], [failpoints]),
    module("TallyNet", ["TallyBase", "CLinux", deque]),
    module("TallyAdmin", pure + ["TallyGossip", "TallyLog", "TallyWork", "TallyNode", "CLinux"]),
    module("TallyWorker", pure + ["TallyLog", "TallyWork", "TallyAdmin", "CLinux", "CArchive", "CWorker"]),
    module(
      "TallyDaemon",
      pure + [
        "TallyGossip", "TallySession", "TallyLog", "TallyWork", "TallyExchange", "TallyNode", "TallyStore", "TallyNet",
        "TallyAdmin", "TallyTOML", "CLinux", logging,
      ]),
    module(
      "TallySim",
      pure + ["TallySession", "TallyGossip", "TallyLog", "TallyWork", "TallyExchange", "TallyNode", heap]),
    module(
      "TallyCommands",
      pure + ["TallyGossip", "TallyLog", "TallyWork", "TallyAdmin", "TallyWorker", "CLinux", arguments]),

    program("tallyd", ["TallyAdmin", "TallyDaemon", arguments]),
    program("tally", ["TallyCommands", arguments]),
    program("tally-sim", ["TallyBase", "TallySim", arguments]),
    // What measures and what breaks the house; the daemon links neither.
    .target(name: "CBenchEcho"),
    module(
      "TallyBench",
      pure + ["TallySession", "TallyGossip", "TallyLog", "TallyWork", "TallyStore", "TallyNet", "CBenchEcho"]),
    module(
      "TallyFuzz",
      pure + ["TallySession", "TallyTable", "TallyGossip", "TallyLog", "TallyWork", "TallyExchange", "TallyNode", "TallyAdmin"]),
    program("tally-bench", ["TallyBench"]),
    program("tally-fuzz", ["TallyFuzz"]),
    tests("TallyBaseTests", ["TallyBase"]),
    tests("TallyCryptoTests", ["TallyBase", "TallyCrypto", "CSodium"]),
    tests("TallySessionTests", pure + ["TallySession"]),
    tests("TallyWireTests", ["TallyBase", "TallyWire"]),
    tests("TallyStoreTests", pure + ["TallyLog", "TallyStore"], [failpoints]),
    tests("TallyTableTests", pure + ["TallyTable"]),
    tests("TallyGossipTests", pure + ["TallyGossip"]),
    tests("TallyLogTests", pure + ["TallyLog"]),
    tests("TallyWorkTests", pure + ["TallyLog", "TallyWork"]),
    tests("TallyWorkerTests", pure + ["TallyLog", "TallyWork", "TallyWorker", "CWorker"]),
    tests("TallyExchangeTests", pure + ["TallyLog", "TallyWork", "TallyExchange"]),
    tests("TallyNetTests", ["TallyBase", "TallyNet", "CLinux"]),
    // Real daemons: the harness is a library, so that it is compiled as strictly as the rest.
    .target(
      name: "TallyHarness", dependencies: pure + ["TallySession", "TallyLog", "TallyNet", "TallyAdmin", "CLinux"],
      path: "Tests/Harness", swiftSettings: strict),
    tests("ProcessTests", pure + ["TallyHarness", "TallyGossip", "TallyLog", "TallyNet", "TallyAdmin", "CLinux"]),
    tests("FuzzTests", pure + ["TallyFuzz"]),
    tests("DocumentTests", []),
    tests("TallyAdminTests", ["TallyBase", "TallyGossip", "TallyAdmin", "CLinux"]),
    tests("TallyConfigTests", ["TallyBase", "TallyCrypto", "TallyExchange", "TallyAdmin", "TallyDaemon"]),
    tests("TallyCommandsTests", pure + ["TallyLog", "TallyWork", "TallyAdmin", "TallyCommands", arguments]),
    tests("TallyNodeTests", ["TallyBase", "TallySim"]),
    tests("ScenarioTests", ["TallyBase", "TallySim", "tally-sim"]),
    tests("TallyTOMLTests", ["TallyBase", "TallyTOML"]),
  ]
)
