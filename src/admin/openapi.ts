import { z } from 'zod'
import {
  emitSchema,
  emittedSchema,
  healthSchema,
  pageSchema,
  problemSchema,
  ruleSchema,
  statusSchema,
  topicSchema,
} from './documents.ts'
import { emitBodyBytesMax, emitEventsMax } from './events-body.ts'
import { pageSizeDefault, pageSizeMax } from './page.ts'
import { problemMediaType } from './problem-document.ts'

const schemas = {
  Status: statusSchema,
  Rule: ruleSchema,
  RulePage: pageSchema(ruleSchema),
  TopicPage: pageSchema(topicSchema),
  Health: healthSchema,
  Emit: emitSchema,
  Emitted: emittedSchema,
  Problem: problemSchema,
}

type SchemaName = keyof typeof schemas

const refTo = (name: SchemaName) => ({ $ref: `#/components/schemas/${name}` })

const answer = (description: string, name: SchemaName) => ({
  description,
  content: { 'application/json': { schema: refTo(name) } },
})

const problem = (description: string) => ({
  description,
  content: { [problemMediaType]: { schema: refTo('Problem') } },
})

const denied = {
  '401': problem('A token is needed, or this one is unknown.'),
  '403': problem('The token, the proxy or the page that asks does not allow it.'),
}

const query = (name: string, description: string, schema: object) => ({
  name,
  in: 'query',
  description,
  schema,
})

const paging = [
  query('limit', 'Items per page.', {
    type: 'integer',
    minimum: 1,
    maximum: pageSizeMax,
    default: pageSizeDefault,
  }),
  query('cursor', '`next_cursor` of the page before.', { type: 'string' }),
]

const health = (what: string) => ({
  summary: what,
  security: [],
  parameters: [
    query('verbose', 'With all parts; `detail` only for who may read the status.', {
      type: 'string',
    }),
  ],
  responses: { '200': answer('It is.', 'Health'), '503': answer('It is not.', 'Health') },
})

/** Describes the routes of this server and no others: a test compares the two. */
export function openApiDocument(version: string): object {
  return {
    openapi: '3.1.0',
    info: {
      title: 'Sluice admin API',
      version,
      description: 'What operators and tools ask of a running Sluice.',
    },
    security: [{ token: [] }],
    paths: {
      '/health/live': { get: health('Whether the daemon gets on; restart it when not.') },
      '/health/ready': { get: health('Whether all parts work.') },
      '/metrics': {
        get: {
          summary: 'Numbers for Prometheus. Without a token when admin.public_metrics is on.',
          responses: {
            '200': {
              description: 'Text format 0.0.4.',
              content: { 'text/plain': { schema: { type: 'string' } } },
            },
            ...denied,
          },
        },
      },
      '/api/v1/openapi.json': {
        get: {
          summary: 'This document.',
          security: [],
          responses: {
            '200': {
              description: 'OpenAPI 3.1.',
              content: { 'application/json': { schema: { type: 'object' } } },
            },
          },
        },
      },
      '/api/v1/status': {
        get: {
          summary: 'The document of `sluice status --json`.',
          responses: { '200': answer('The status.', 'Status'), ...denied },
        },
      },
      '/api/v1/rules': {
        get: {
          summary: 'Rules with their state and their counts, by name.',
          parameters: paging,
          responses: {
            '200': answer('A page of rules.', 'RulePage'),
            '400': problem('limit or cursor is wrong.'),
            ...denied,
          },
        },
      },
      '/api/v1/rules/{rule}': {
        get: {
          summary: 'One rule.',
          parameters: [{ name: 'rule', in: 'path', required: true, schema: { type: 'string' } }],
          responses: {
            '200': answer('The rule.', 'Rule'),
            '404': problem('There is no such rule.'),
            ...denied,
          },
        },
      },
      '/api/v1/topics': {
        get: {
          summary: 'Topics of the bus, by name, with the rules that read them.',
          parameters: paging,
          responses: {
            '200': answer('A page of topics.', 'TopicPage'),
            '400': problem('limit or cursor is wrong.'),
            '503': problem('The bus does not answer.'),
            ...denied,
          },
        },
      },
      '/api/v1/events': {
        post: {
          summary: 'Puts events on the bus: all of them, or none when one is not acceptable.',
          description:
            `At most ${emitEventsMax} events and ${emitBodyBytesMax} bytes. A value of null is a ` +
            'tombstone. As lines, each line is one event as it is, and the topic stands in the query.',
          parameters: [query('topic', 'For lines only.', { type: 'string' })],
          requestBody: {
            required: true,
            content: {
              'application/json': { schema: refTo('Emit') },
              'application/x-ndjson': { schema: { type: 'string' } },
            },
          },
          responses: {
            '200': answer('They are durable.', 'Emitted'),
            '400': problem('Events that are not acceptable, each with its place.'),
            '404': problem('There is no such topic.'),
            '413': problem('More than one request may bring, or than the bus takes.'),
            '415': problem('Neither JSON nor lines of JSON.'),
            '502': problem('The bus refused them.'),
            '503': problem('The bus does not answer: some may be there all the same.'),
            ...denied,
          },
        },
      },
    },
    components: {
      securitySchemes: {
        token: {
          type: 'http',
          scheme: 'bearer',
          description: 'One of admin.tokens. Without any, whoever reaches the listener is trusted.',
        },
      },
      schemas: Object.fromEntries(
        Object.entries(schemas).map(([name, schema]) => [
          name,
          z.toJSONSchema(schema, { io: name === 'Emit' ? 'input' : 'output' }),
        ]),
      ),
    },
  }
}
