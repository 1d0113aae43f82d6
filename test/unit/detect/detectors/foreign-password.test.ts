// Passwords as other languages call them.
import t from 'tap'
import { scanNamed } from '../../../../proxy/detect/named.ts'
import { entityGroups } from '../../../../proxy/detect/entities.ts'
import { compileScanner } from '../../../../proxy/detect/scanner.ts'
import { found } from './found.ts'

/** Put together here, so that nothing takes it for a real one. */
const value = ['Tr0ub4', 'dor&3'].join('')

// prettier-ignore
const names = [
  'mot de passe', 'Mot de passe', 'motDePasse', 'mot_de_passe', 'MOT_DE_PASSE', 'contraseña', 'contrasena',
  'Contraseña', 'contraseñas', 'dbContrasena', 'mi_contraseña', 'clave de acceso', 'Passwort', 'Kennwort',
  'kennwort', 'db_kennwort', 'Kennwörter', "parola d'ordine", 'parola d’ordine', 'parola_segreta', 'senha',
  'minhaSenha', 'SENHA', 'palavra-passe', 'wachtwoord', 'wachtwoorden', 'gebruikersWachtwoord', 'hasło', 'Hasło',
  'haslo', 'hasła', 'heslo', 'passord', 'lösenord', 'şifre', 'Şifreniz', 'parolă', 'пароль', 'Пароль', 'ПАРОЛЬ', 'κωδικός',
  'סיסמה', '密码', '密碼', 'パスワード', '비밀번호', 'كلمة المرور', '我的密码',
]

void t.test('members, variables and lines have such names', async (t) => {
  const scanner = compileScanner(new Set(entityGroups.keys()))
  for (const name of names) {
    for (const text of [`"${name}": "${value}"`, `${name} = '${value}'`, `${name}: ${value}`, `- ${name} : ${value}\n`])
      t.same(found(text, 'generic-secret'), [value], text)
    if (name.includes("'")) continue
    t.match(scanNamed(scanner, value, { path: [name] }), [{ start: 0, end: value.length }], `member ${name}`)
  }
})

void t.test('sentences say it, too', async (t) => {
  for (const text of [
    `Mon mot de passe est ${value}, merci`,
    `mi contraseña es ${value}`,
    `Das Passwort lautet ${value}`,
    `Das Kennwort ist "${value}"`,
    `minha senha é ${value}`,
    `moje hasło jest ${value}`,
    `le password est ${value}`,
  ])
    t.same(
      found(text, 'generic-secret').map((one) => one.replace(/,$/, '')),
      [value],
      text,
    )
})

void t.test('what only looks so, and what says nothing', async (t) => {
  for (const text of [
    'Mot de passe oublié ? 12 caractères au moins',
    'La contraseña debe tener 8caracteres',
    '"password": "Contraseña", "senha": "Palavra-passe", "x": "Wachtwoord", "pass": "Passwort"',
    'motDePasseOublie: "x9y8z7w6"',
    'it has łódź99: x9y8z7w6, hash: x9y8z7w6v5, hasLogin: x9y8z7w6',
    'ensenha: x9y8z7w6 senhas_url: x9y8z7w6, kennwortlos: x9y8z7w6',
    'key ist x9y8z7w6',
  ])
    t.same(found(text, 'generic-secret'), [], text)
})
