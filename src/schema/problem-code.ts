/**
 * Every code that a problem of a rule file or a config can have. Stable: scripts and CI annotations
 * rely on them. docs/errors.md says of each what it means; a test compares the two.
 */
export const problemCodes = [
  // files and YAML
  'file-unreadable',
  'file-too-large',
  'file-not-utf8',
  'no-rule-files',
  'yaml-syntax',
  'yaml-tab',
  'yaml-documents',
  'yaml-tag',
  'yaml-alias',
  'yaml-number',
  'yaml-key',
  'yaml-too-deep',
  'duplicate-key',
  // shape
  'unknown-key',
  'missing-key',
  'wrong-type',
  'bad-value',
  'bad-name',
  'bad-duration',
  'bad-size',
  'not-supported-yet',
  // rules
  'duplicate-rule',
  'unknown-rule',
  'bad-topic',
  'bad-path',
  'bad-test',
  'unknown-operator',
  'empty-condition',
  'impossible',
  'unknown-action',
  'unknown-lane',
  'too-many',
  'shadowed-case',
  'matches-everything',
  'unindexable',
  'regex-is-prefix',
  'identical-rules',
  'leads-back',
  'delay-above-tiers',
  'untested',
  // what is not there, with --online
  'bus-unreachable',
  'topic-missing',
  'target-unreachable',
  'target-refused',
  // templates
  'template-syntax',
  'template-path',
  'template-pipe',
  'template-url',
  'template-json',
  'unknown-list',
  'unknown-secret',
  // actions
  'action-method',
  'action-header',
  'action-body',
  'action-auth',
  'action-hosts',
  'action-outcome',
  'action-topic',
  // config
  'environment-missing',
  'bad-override',
  'bad-address',
  'bad-cidr',
  'secret-unreadable',
  'admin-unprotected',
] as const

export type ProblemCode = (typeof problemCodes)[number]
