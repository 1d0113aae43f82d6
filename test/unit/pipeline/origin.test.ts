import t from 'tap'
import { checkHost, checkOrigin, hostsOf } from '../../../proxy/pipeline/origin.ts'

const verdict = (headers: Record<string, string>, hosts: ReturnType<typeof hostsOf>): string => {
  try {
    checkOrigin(Object.entries(headers).flat(), hosts)
    checkHost(Object.entries(headers).flat(), hosts)
    return 'passes'
  } catch (error) {
    return (error as { code: string }).code
  }
}

t.test('who may be behind a request', (t) => {
  const loopback = hostsOf('127.0.0.1', [])
  const named = hostsOf('0.0.0.0', ['gateway.example', 'other.example:8443'])
  const anywhere = hostsOf('0.0.0.0', [])
  const rows: [string, ReturnType<typeof hostsOf>, Record<string, string>, boolean][] = [
    ['a program on this machine', loopback, { host: '127.0.0.1:8080' }, true],
    ['by its name', loopback, { Host: 'LocalHost:8080' }, true],
    ['over IPv6', loopback, { host: '[::1]:8080' }, true],
    ['a rebound name', loopback, { host: 'evil.example:8080' }, false],
    ['a name that begins like ours', loopback, { host: 'localhost.evil.example' }, false],
    ['a page of this machine', loopback, { host: 'localhost', origin: 'http://localhost:3000' }, true],
    ['a page of another', loopback, { host: 'localhost', origin: 'https://evil.example' }, false],
    ['a page of none', loopback, { host: 'localhost', origin: 'null' }, false],
    ['an extension', loopback, { host: 'localhost', origin: 'chrome-extension://abc' }, false],
    ['two origins', loopback, { host: 'localhost', origin: 'http://localhost http://evil.example' }, false],
    ['an origin with a path', loopback, { host: 'localhost', origin: 'http://localhost/x' }, false],
    ['a listed name', named, { host: 'gateway.example:8080', origin: 'https://gateway.example' }, true],
    ['a name listed with its port', named, { host: 'other.example:8443' }, true],
    ['the same with another', named, { host: 'other.example:8444' }, false],
    ['an address cannot be rebound', named, { host: '10.0.0.7:8080' }, true],
    ['an unlisted name', named, { host: 'gateway' }, false],
    ['names that nobody has listed', anywhere, { host: 'gateway.agents.svc' }, true],
    ['their pages all the same', anywhere, { host: 'gateway', origin: 'http://gateway' }, false],
    ['no host', loopback, {}, true],
  ]
  for (const [about, hosts, headers, passes] of rows)
    t.equal(verdict(headers, hosts), passes ? 'passes' : 'origin-refused', about)
  t.end()
})
