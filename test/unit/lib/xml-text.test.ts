import t from 'tap'
import { inXml, markupWriter, xmlFlaw } from '../../../proxy/lib/xml-text.ts'

t.test('documents of which another reader would see another text', async (t) => {
  for (const text of [
    '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
    '<!doctype a [<!entity % b "c">]><a/>',
    '<?xml version="1.0" encoding="ISO-8859-1"?><a/>',
    "\n<?xml version='1.0' encoding = 'utf-16' ?><a/>",
    `<?xml version="1.0"${' '.repeat(500)}encoding="UTF-7"?><a/>`,
    '<?xml version="1.0" x=">" encoding="UTF-7"?><a/>',
    '<?xml version="1.0" encoding=UTF-7?><a/>',
    '<\0a\0>\0b\0<\0/\0a\0>\0',
    '\0<\0a\0/\0>',
    '<!DOCTYPE a SYSTEM "http://example.org/a.dtd"><a>b&at;c</a>',
    '<!DOCTYPE a [%more;]><a/>',
    `<a>&#X${'0'.repeat(30)}40;</a>`,
  ])
    t.type(xmlFlaw(text), 'string', text)
  for (const text of [
    '<a>ENTITY</a>',
    '<!DOCTYPE html><html/>',
    '<?xml version="1.0" encoding="utf-8"?><a/>',
    '<?xml version="1.0"?><a encoding="x"/>',
    '<!DOCTYPE a SYSTEM "http://example.org/a.dtd"><a>b&amp;c &#64; &lt;</a>',
    '<a>&nbsp;</a>',
  ])
    t.equal(xmlFlaw(text), undefined, text)
})

t.test('values are written as text or attributes take them; references stay', async (t) => {
  t.equal(inXml(`a<b>&"c'&amp;&#64;&x`), 'a&lt;b&gt;&amp;&quot;c&apos;&amp;&#64;&amp;x')
})

t.test('values are written as where they stand wants it', async (t) => {
  const value = `a<b>&"c']]>--d`
  const plain = 'a&lt;b&gt;&amp;&quot;c&apos;]]&gt;--d'
  const inCdata = `a<b>&"c']]]]><![CDATA[>--d`
  const inComment = 'a&lt;b&gt;&amp;&quot;c&apos;]]&gt;-&#45;d'
  const inScript = `a\\u003cb>&\\"c\\']]>--d`
  for (const [markup, text, expected] of [
    ['xml', '<a x="*">*<![CDATA[*<!--*]]>*</a>', [plain, plain, inCdata, inCdata, plain]],
    ['xml', '<!--*<![CDATA[*-->*<?p <![CDATA[*?>*]]>*', [inComment, inComment, plain, plain, plain, plain]],
    ['xml', '<script>*', [plain]],
    ['html', '<p>*<SCRIPT x>*<!--*</script>*<scripts>*<![CDATA[*', [plain, inScript, inScript, plain, plain, plain]],
    ['html', '<style>*</style>*', ['a\\3c b>&"c\']]>--d', plain]],
  ] as const) {
    const write = markupWriter(text, markup)
    const places = Array.from(text.matchAll(/[*]/g), ({ index }) => index)
    t.same(
      places.map((at) => write(value, at)),
      expected,
      text,
    )
  }
})
