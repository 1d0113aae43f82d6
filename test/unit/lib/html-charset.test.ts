import t from 'tap'
import { htmlFlaw } from '../../../proxy/lib/html-charset.ts'

t.test('documents of which another reader would see another text', async (t) => {
  for (const text of [
    '<meta charset=utf-7>ada+AEA-example.org',
    '<!doctype html><head><META http-equiv="content-type" content="text/html; CHARSET = utf-7">',
    '<meta name="x>y" charset="iso-2022-jp">',
    `<meta name='>"' charset="ibm037">`,
    `<meta name=it's><meta charset=hz-gb-2312>`,
    `${'<p>'.repeat(1000)}<meta/charset='utf-16'>`,
    '<meta charset=utf-8><meta charset=utf-7>',
    '<meta charset="utf&#45;7">',
    '<meta charset=gbk>\u05e3',
    '<?xml version="1.0" encoding="UTF-7"?><html>',
    '<\0p\0>\0',
  ])
    t.type(htmlFlaw(text), 'string', text)
  for (const text of [
    '<p>charset=utf-7</p>',
    '<meta charset="utf-8">é',
    "<meta http-equiv=content-type content='text/html; charset=UTF-8'>",
    '<meta charset=iso-8859-1>é',
    '<meta charset=shift_jis>a',
    '<meta charset="">',
    '<meta name=description content="x"><form accept-charset=utf-7>',
    '<metadata charset=utf-7>',
  ])
    t.equal(htmlFlaw(text), undefined, text)
})

t.test('elements without an end take no longer', async (t) => {
  t.equal(htmlFlaw('<meta "'.repeat(200_000)), undefined)
})
