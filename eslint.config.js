import js from '@eslint/js'
import tseslint from 'typescript-eslint'

/** Time and chance come through the clock port, so that tests decide both. */
const portsOnly = [
  { object: 'Date', property: 'now', message: 'Take the time from the Clock port.' },
  { object: 'Math', property: 'random', message: 'Take chance from the Clock port.' },
]
const timersOnly = ['setTimeout', 'setInterval'].map((name) => ({
  name,
  message: 'Sleep through the Clock port.',
}))

export default tseslint.config(
  { ignores: ['dist/', 'node_modules/', '.cache/', 'data/', '**/*.cjs'] },
  js.configs.recommended,
  ...tseslint.configs.recommendedTypeChecked,
  {
    languageOptions: {
      parserOptions: {
        projectService: { allowDefaultProject: ['eslint.config.js'] },
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      '@typescript-eslint/no-floating-promises': ['error', { ignoreVoid: true }],
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      'no-restricted-exports': ['error', { restrictDefaultExports: { direct: true } }],
    },
  },
  {
    files: ['src/**'],
    ignores: ['src/drivers/**', 'src/app/**'],
    rules: {
      'no-restricted-properties': ['error', ...portsOnly],
      'no-restricted-globals': ['error', ...timersOnly],
    },
  },
  {
    files: ['test/**'],
    rules: { '@typescript-eslint/no-unused-expressions': 'off' },
  },
  {
    files: ['*.js'],
    extends: [tseslint.configs.disableTypeChecked],
    rules: { 'no-restricted-exports': 'off' },
    languageOptions: { globals: { process: 'readonly', console: 'readonly', URL: 'readonly' } },
  },
)
