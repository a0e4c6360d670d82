// The layers of the house (docs/architecture.md): a folder imports only folders of a lower rank,
// folders of one rank never import each other, and there are no cycles, type imports counted.
const ranks = [
  ['model'],
  ['ports', 'schema'],
  ['rules', 'config'],
  ['actions'],
  ['engine'],
  ['drivers', 'admin', 'cli'],
  ['app'],
]

const forbiddenFor = (folder, rank) =>
  [...ranks.slice(rank + 1).flat(), ...ranks[rank].filter((beside) => beside !== folder)].join('|')

const layer = (folder, rank) => ({
  name: `${folder}-imports-only-downward`,
  severity: 'error',
  from: { path: `^src/${folder}/` },
  to: {
    path: `^src/(main\\.ts$${forbiddenFor(folder, rank) ? `|(${forbiddenFor(folder, rank)})/` : ''})`,
  },
})

// One home per package, so that a package can be replaced in one folder.
const homes = {
  kafkajs: 'src/drivers/kafkajs/',
  snappy: 'src/drivers/kafkajs/',
  'lz4-napi': 'src/drivers/kafkajs/',
  '@toondepauw/node-zstd': 'src/drivers/kafkajs/',
  ioredis: 'src/drivers/redis/',
  lmdb: 'src/drivers/embedded/',
  undici: 'src/drivers/undici/',
  'ipaddr.js': 'src/drivers/undici/',
  mustache: 'src/rules/template',
  re2js: 'src/rules/regex',
  '@marcbachmann/cel-js': 'src/rules/expr',
  yaml: 'src/schema/',
  pino: 'src/app/',
  'pino-pretty': 'src/app/',
  fastify: 'src/admin/',
  commander: 'src/cli/',
  'prom-client': 'src/drivers/prom-client/',
}

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    ...ranks.flatMap((folders, rank) => folders.map((folder) => layer(folder, rank))),
    {
      name: 'drivers-know-ports-only',
      severity: 'error',
      from: { path: '^src/drivers/' },
      to: { path: '^src/(rules|config|actions|engine|admin|cli|app)/' },
    },
    {
      name: 'a-driver-does-not-know-another',
      severity: 'error',
      from: { path: '^src/drivers/([^/]+)/' },
      to: { path: '^src/drivers/', pathNot: '^src/drivers/$1/' },
    },
    {
      name: 'model-has-no-packages-and-no-io',
      severity: 'error',
      from: { path: '^src/model/' },
      to: { dependencyTypes: ['npm', 'npm-dev', 'npm-optional'] },
    },
    ...Object.entries(homes).map(([name, home]) => ({
      name: `${name.replace(/\W+/g, '-')}-has-one-home`,
      severity: 'error',
      from: { path: '^src/', pathNot: `^${home}` },
      to: { path: `(^|/)node_modules/${name}/` },
    })),
    {
      name: 'only-listed-packages',
      severity: 'error',
      from: { path: '^src/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown', 'unknown', 'undetermined'] },
    },
    {
      name: 'the-program-does-not-know-its-tests',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^test/' },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'types', 'node'],
    },
  },
}
