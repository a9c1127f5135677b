"""Words people use for common fields, in many languages, and the traces such fields leave in markup.

A role is a general kind of field. Its `words` are matched against requests, table headers and labels;
its `hints` against class names, attributes and structured-data keys; its `kinds` against values.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from meterhouse.extraction.engine.words import words_of


@dataclass(frozen=True)
class Role:
    name: str
    words: frozenset[str]
    hints: frozenset[str]
    kinds: frozenset[str]


def _role(name: str, words: str, hints: str, kinds: str) -> Role:
    return Role(
        name,
        frozenset(fold(word) for word in words.split()),
        frozenset(fold(word) for word in hints.split()),
        frozenset(kinds.split()),
    )


@lru_cache(maxsize=20_000)
def fold(word: str) -> str:
    """Case and accents taken off, so that `Título` and `titulo` meet."""
    plain = unicodedata.normalize("NFKD", word.casefold())
    return unicodedata.normalize("NFC", "".join(c for c in plain if not unicodedata.combining(c)))


_WORD = re.compile(r"[^\W\d_]+|\d+")
_STEM = re.compile(r"(?<=\w{3})(?:ings?|ers?|ed|es|s)$")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_GLYPH = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\u0e00-\u0e7f]")


@lru_cache(maxsize=50_000)
def tokens_of(text: str) -> tuple[str, ...]:
    """The folded words of a text or identifier, in order; camelCase is taken apart."""
    return tuple(fold(word) for word in _WORD.findall(_CAMEL.sub(" ", text)))


def unspaced(text: str) -> bool:
    """True for writing systems that do not part words by spaces."""
    return bool(_GLYPH.search(text))


@lru_cache(maxsize=100_000)
def alike(one: str, other: str) -> bool:
    """Two folded words are the same but for an ending, as in price / prices or Titel / Titels."""
    if one == other:
        return True
    if unspaced(one) or unspaced(other):
        return len(min(one, other, key=len)) >= 2 and (one in other or other in one)
    short, long = sorted((one, other), key=len)
    if len(short) >= 4 and len(long) - len(short) <= 3 and long.startswith(short):
        return True
    return len(short) >= 5 and _STEM.sub("", one) == _STEM.sub("", other)


# Specific roles come first: a phrase takes the first role that one of its words belongs to.
ROLES: tuple[Role, ...] = (
    _role(
        "link",
        "link links url urls uri href lien liens enlace enlaces enllac collegamento lenke lenker"
        " lank lankar linkki odkaz ссылка ссылки посилання σύνδεσμος σύνδεσμοι tautan pautan"
        " リンク 链接 鏈接 网址 링크 ลิงก์ bağlantı vinculo hlekkur",
        "link url href permalink",
        "url",
    ),
    _role(
        "image",
        "image images picture pictures photo photos thumbnail logo cover bild bilder foto fotos"
        " imagen imagenes immagine imagem afbeelding zdjecie картинка изображение фото εικόνα"
        " gambar 画像 图片 이미지 resim kuva",
        "image img photo picture thumb thumbnail logo cover poster",
        "url",
    ),
    _role(
        "old_price",
        "",
        "old was regular list retail strike crossed before original compare msrp rrp normal",
        "money number",
    ),
    _role(
        "price",
        "price prices preis preise prix precio precios preu preco prezzo prezzi prijs prijzen"
        " pris priser hinta cena ceny цена цены стоимость ціна τιμή fiyat harga 価格 值 价格 價格"
        " 가격 ราคา pret hind verd cost amount fee rent salary",
        "price preis prix precio prijs pris amount cost sale special offer lowprice",
        "money number",
    ),
    _role(
        "duration",
        "duration runtime length minutes dauer laufzeit duree duracion durada durata duracao duur"
        " varighet varighed langd kesto czas продолжительность длительность διάρκεια sure durasi"
        " 時間長 时长 분 길이 lengd",
        "duration runtime length minutes",
        "duration number",
    ),
    _role(
        "date",
        "date dates day posted published datum tag fecha fechas data dato daty dzien дата дата:"
        " даты ημερομηνία tarih tanggal 日付 日期 날짜 วันที่ ngay dagsetning kuupaev paivamaara"
        " born birthdate birthday geboren activity updated deadline when released pvm",
        "date datetime published pubdate posted time created modified updated day born birth timestamp",
        "date",
    ),
    _role(
        "time",
        "time times start starts begin end uhrzeit zeit beginn heure horaire hora hores orario"
        " ora tijd klokkeslett tid kl aika godzina czas время час ώρα saat jam waktu 時刻 时间"
        " 時間 시간 เวลา gio timi kellaaeg",
        "time hour start starttime begin datetime clock end",
        "time",
    ),
    _role(
        "author",
        "author authors writer artist artists autor autoren auteur auteurs autores autora autore"
        " forfatter skribent tekija автор авторы исполнитель συγγραφέας yazar penulis 作者 著者"
        " 投稿者 저자 tacgia hofundur who by reviewer user username owner poster creator starter"
        " kunstler interprete artista",
        "author byline by creator writer artist user username owner poster starter member profile nickname",
        "text",
    ),
    _role(
        "comments",
        "comment comments reply replies answers kommentare antworten commentaires reponses"
        " comentarios respuestas reacties kommentarer svar комментарии ответы balasan komentar"
        " コメント 评论 回复 댓글 yorum cevap odpowiedzi vastauksia",
        "comment comments reply replies answers responses",
        "number counted",
    ),
    _role(
        "views",
        "views view reads hits ansichten aufrufe vues vistas visitas visninger просмотры bekeken"
        " dilihat 閲覧 浏览 조회 visualizzazioni odslon goruntulenme",
        "view views hits reads",
        "number counted",
    ),
    _role(
        "rating",
        "rating ratings bewertung note valoracion puntuacion valutazione beoordeling vurdering"
        " betyg ocena рейтинг оценка βαθμολογία puan penilaian 評価 评分 평점 등급",
        "rating stars score ratingvalue",
        "number",
    ),
    _role(
        "votes",
        "score scores points votes upvotes likes punkte stimmen votos puntos stemmen очки голоса"
        " 得分 点 점수",
        "score points votes likes upvotes",
        "number counted",
    ),
    _role(
        "stars",
        "stars star sterne etoiles estrellas звезды 星",
        "star stars stargazers stargazer",
        "number counted",
    ),
    _role("forks", "forks fork", "fork forks forked", "number counted"),
    _role(
        "ingredients",
        "ingredients ingredient zutaten ingredientes ingredienti ingredienten ingredienser"
        " ainekset skladniki ингредиенты состав υλικά malzemeler bahan 材料 재료",
        "ingredient ingredients recipeingredient ingredientes zutaten ingredienti ingredienten",
        "text",
    ),
    _role(
        "tags",
        "tags tag keywords topics schlagworte mots cles etiquetas palabras stichworte etichette trefwoorden"
        " теги метки ετικέτες etiketler タグ 标签 태그",
        "tag tags keyword keywords topic topics",
        "text",
    ),
    _role(
        "category",
        "category categories genre genres type kategorie kategorien categorie catégorie categoria"
        " rubrik rubrique tipo sjanger kategori категория жанр κατηγορία είδος tur jenis カテゴリ"
        " カテゴリー 分类 類別 카테고리 장르 gatunek section",
        "category categories cat genre type kind section rubric subject group",
        "text",
    ),
    _role(
        "location",
        "location locations place venue city town region lieu ort veranstaltungsort standort"
        " lugar ubicacion luogo local plaats locatie sted plats paikka miejsce место город"
        " τοποθεσία konum lokasi tempat 場所 地点 장소",
        "location place venue city town region locality where geo area",
        "text",
    ),
    _role(
        "address",
        "address addresses adresse anschrift direccion indirizzo endereco adres adresa адрес"
        " διεύθυνση alamat 住所 地址 주소",
        "address street streetaddress adr",
        "text",
    ),
    _role(
        "description",
        "description descriptions summary summaries excerpt abstract synopsis text body content"
        " teaser snippet details beschreibung zusammenfassung inhalt resume résumé extrait"
        " descripcion resumen descrizione sommario descricao resumo beschrijving samenvatting"
        " omschrijving beskrivelse ingress sammendrag beskrivning kuvaus opis описание содержание"
        " περιγραφή περίληψη aciklama ozet deskripsi sinopsis ringkasan 説明 抜粋 概要 描述 摘要"
        " 简介 설명 요약 mota lysing intro lead",
        "description desc summary excerpt abstract synopsis teaser snippet intro lead blurb comment",
        "long text",
    ),
    _role(
        "series",
        "series serie serien reihe saga collection coleccion colecao collana seria серия серії σειρά"
        " seri シリーズ 系列 시리즈",
        "series collection",
        "text",
    ),
    _role(
        "publisher",
        "publisher publishers verlag editeur editorial editora editore uitgever forlag forlaget"
        " kustantaja wydawca wydawnictwo издатель издательство видавець εκδότης yayinci penerbit"
        " 出版社 出版 출판사",
        "publisher imprint",
        "text",
    ),
    _role(
        "illustrator",
        "illustrator illustrators illustration illustrations illustrateur ilustrador illustratore"
        " tegner kuvittaja ilustrator иллюстратор イラスト 插画 일러스트",
        "illustrator illustration",
        "text",
    ),
    _role(
        "language",
        "language languages sprache sprachen langue langues idioma idiomas lingua taal sprak kieli"
        " jezyk язык мова γλώσσα dil bahasa 言語 语言 語言 언어 tungumal keel",
        "language lang inlanguage",
        "text",
    ),
    _role(
        "condition",
        "condition zustand etat estado stato staat toestand tilstand skick kunto stan состояние"
        " стан κατάσταση durum kondisi 状態 状态 상태",
        "condition itemcondition",
        "text",
    ),
    _role(
        "availability",
        "availability available stock instock verfugbarkeit verfugbar lager lagerbestand lieferbar"
        " disponibilite disponible stocks disponibilidad existencias disponibilita disponibile"
        " beschikbaarheid voorraad tilgjengelighet lagerstatus saatavuus dostepnosc наличие наявність"
        " διαθεσιμότητα stok ketersediaan 在庫 库存 庫存 재고",
        "availability available stock instock lager inventory",
        "text",
    ),
    _role(
        "brand",
        "brand brands marke marca marque merk merke merkki марка бренд μάρκα marka merek ブランド"
        " 品牌 브랜드 manufacturer",
        "brand manufacturer vendor",
        "text",
    ),
    _role(
        "year",
        "year years jahr annee ano año anno jaar ar år rok год έτος yil tahun 年 년 vuosi",
        "year",
        "year",
    ),
    _role(
        "area",
        "area surface size flache surface superficie oppervlakte areal pinta площадь",
        "area surface size",
        "area",
    ),
    _role(
        "rooms",
        "rooms room zimmer pieces habitaciones kamers rom комнат 部屋",
        "room rooms",
        "number counted",
    ),
    _role(
        "code",
        "code sku id number no nr docket ean isbn reference nummer numero codigo codice номер код"
        " κωδικός numara kode 番号 编号",
        "code sku id number nr docket ref reference identifier productid",
        "code number",
    ),
    _role(
        "title",
        "title titles headline headlines heading name names titel titeln überschrift bezeichnung"
        " titre titres nom noms titulo titulos titular titol nombre nombres titolo nome naam namen"
        " tittel navn titlar rubrik namn nimi otsikko tytul nazwa název заголовок название"
        " название: имя наименование назва τίτλος όνομα başlık isim judul nama タイトル 名前 标题"
        " 標題 名称 제목 이름 ชื่อ tieude titill nafn pealkiri",
        "title headline heading name",
        "text",
    ),
)

BY_NAME = {role.name: role for role in ROLES}
OLD_WORDS = frozenset(
    fold(word)
    for word in words_of(
        "old former regular original was alt alter altem alten ancien antiguo anterior vecchio"
        " oude gammel stary старая eski lama before list normal"
    )
)


def role_of(words: tuple[str, ...]) -> Role | None:
    """The most specific role that one of the folded words belongs to; exact words win over inflected ones."""
    for same in (lambda word, known: word == known, alike):
        for role in ROLES:
            if any(same(word, known) for word in words for known in role.words):
                if role.name == "price" and any(word in OLD_WORDS for word in words):
                    return BY_NAME["old_price"]
                return role
    return None
