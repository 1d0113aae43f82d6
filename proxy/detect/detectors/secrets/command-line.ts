// Owns passwords that commands are given behind a flag of one letter, which says so only together with the command's name.
// Long flags (`--password=…`) are assignments as others are.
import { contextBefore } from '../../candidate.ts'
import { characterClass, holds } from '../../characters.ts'
import { contextWords } from '../../context-words.ts'
import type { Detector } from '../../detector.ts'
import type { Probe } from '../../probe.ts'
import { isPassword } from './secret-value.ts'

/** `joined`: the value follows at once. `apart`: behind a space. `login`: behind a space, a user and `%`. */
type Form = 'joined' | 'apart' | 'login'

/** Names of tools as alternatives of a pattern, by flag and form, and which of their manuals says so. */
const tools: readonly (readonly [flag: string, forms: readonly Form[], names: string])[] = [
  // MySQL Reference Manual, "Using Options on the Command Line"; MariaDB, "Connecting to MariaDB Server".
  ['-p', ['joined'], '(?:mysql|mariadb)-?(?:dump|admin|import|check|show|slap|pump|sh)?'],
  // sshpass(1)
  ['-p', ['joined', 'apart'], 'sshpass'],
  // docker login, podman-login(1), buildah-login(1), skopeo-login(1), helm registry login, oras login, az login, oc login, cf login
  ['-p', ['apart'], '(?:docker|podman|buildah|skopeo|nerdctl|oras|az|oc|cf|helm registry)\\s+login'],
  // MongoDB Shell and Database Tools, options
  ['-p', ['apart'], 'mongo(?:sh|dump|restore|import|export|stat|top|files)?'],
  // 7-Zip, "-p (set Password) switch"; rar, user's manual
  ['-p', ['joined'], '7z[azr]?|7zz|(?:un)?rar'],
  // redis-cli, "Host, port, password, and database"
  ['-a', ['apart'], '(?:redis|valkey)-cli'],
  // ldapsearch(1) and its kin
  ['-w', ['apart'], 'ldap(?:search|add|modify|modrdn|delete|whoami|passwd|compare|exop)'],
  // sqlcmd and bcp utilities
  ['-P', ['joined', 'apart'], 'sqlcmd|bcp'],
  // zip(1), unzip(1)
  ['-P', ['apart'], '(?:un)?zip'],
  // openssl-enc(1)
  ['-k', ['apart'], 'openssl\\s+(?:enc|aes\\S*|des\\S*)'],
  // smbclient(1), rpcclient(1), smbget(1)
  ['-U', ['login'], 'smbclient|rpcclient|smbget|smbcacls|smbmap'],
]

/** By flag, and by form: the name of a tool where a word begins, be it behind a path. */
const commands: ReadonlyMap<string, Readonly<Record<Form, RegExp | undefined>>> = new Map(
  tools.map(([flag]) => [
    flag,
    { joined: toolPattern(flag, 'joined'), apart: toolPattern(flag, 'apart'), login: toolPattern(flag, 'login') },
  ]),
)

function toolPattern(flag: string, form: Form): RegExp | undefined {
  const names = tools.filter(([other, forms]) => other === flag && forms.includes(form)).map(([, , name]) => name)
  if (names.length === 0) return undefined
  return new RegExp(`(?:^|\\\\[nrt]|[\\s"'\`/($>#])(?:${names.join('|')})(?:\\.exe)?(?=\\s)`, 'i')
}

const words = contextWords(
  'mysql|mariadb|sshpass|mongo|7z|rar |redis-cli|valkey-cli|ldap|sqlcmd|bcp |zip |openssl|smb|rpcclient| login',
)
const bare = characterClass('!#-%*-:=?-[]-_a-{}~', (code) => code > 0xa0)
const user = characterClass('A-Za-z0-9._@/\\-')
const between = characterClass('\n;|&')
const blank = characterClass(' ')
const valueLengthMin = 4
const lengthMax = 128
const userLengthMax = 64

export const commandPassword: Detector = {
  entity: 'command-password',
  group: 'secrets',
  triggers: Array.from(commands.keys(), (flag) => ` ${flag}`),
  contexts: [words],
  find(probe, spaceStart, flagEnd) {
    if (!probe.hasHeard(words, spaceStart, contextBefore)) return
    const flag = probe.text.slice(spaceStart + 1, flagEnd)
    const forms = commands.get(flag)
    const form = probe.code(flagEnd) !== 32 ? 'joined' : forms?.login === undefined ? 'apart' : 'login'
    const tool = forms?.[form]
    if (tool === undefined) return
    const start = startOfValue(probe, flagEnd, form)
    if (start === -1) return
    const end = endOfValue(probe, start)
    if (end < start + valueLengthMin || !isPassword(probe.text.slice(start, end), quoted)) return
    if (!tool.test(probe.text.slice(startOfCommand(probe, spaceStart), spaceStart + 1))) return
    probe.accept(commandPassword, start, end, false)
  },
}

const quoted = { isQuoted: true, isEnvironment: true }

/** As far as it is looked at: what the shell puts between two commands is before it. */
function startOfCommand({ text }: Probe, end: number): number {
  const least = Math.max(0, end - contextBefore)
  let start = end
  while (start > least && !holds(between, text.charCodeAt(start - 1))) start--
  return start
}

/** Behind its quote; -1 where the flag is given nothing. */
function startOfValue(probe: Probe, flagEnd: number, form: Form): number {
  let start = probe.runEnd(flagEnd, blank, 3)
  if (probe.code(start) === 45) return -1
  if (probe.code(start) === 92) start++
  if (isQuote(probe.code(start))) start++
  if (form !== 'login') return start
  const userEnd = probe.runEnd(start, user, userLengthMax)
  return probe.code(userEnd) === 37 ? userEnd + 1 : -1
}

/** In quotes whatever there is up to the same one, else up to what ends a word of the shell. -1: the line ends before. */
function endOfValue(probe: Probe, start: number): number {
  const quote = probe.before(start)
  if (!isQuote(quote)) return probe.runEnd(start, bare, lengthMax)
  for (let index = start; index < start + lengthMax; index++) {
    const code = probe.code(index)
    if (code === quote) return probe.before(index) === 92 ? index - 1 : index
    if (code === -1 || code === 10) return -1
  }
  return -1
}

function isQuote(code: number): boolean {
  return code === 34 || code === 39
}
