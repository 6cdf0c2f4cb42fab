"""The sources that rows of the tables name by a short key, each key once with its full name."""

from __future__ import annotations

__all__ = ["SOURCES", "resolve"]

SOURCES: dict[str, str] = {
    "ARGUS": "Argus Media, article 2773175 on Thai I-REC prices and the UGT1 premium, January 2026",
    "AUSTCHAM": "Australian-Thai Chamber of Commerce, austchamthailand.com, on the 2022 renewable round",
    "ASEANNOW": "aseannow.com, a household electricity bill shown by its owner, 2022",
    "BGLOBAL": "BGlobal Law, bgloballaw.com, on the utility green tariff, 2024",
    "BURIRAM": "Buriram Times, buriramtimes.com, on the Ft of May to August 2022",
    "BOZKURT": "Bozkurt et al., Dissecting latency in the Internet's fiber infrastructure, arXiv 1811.10737, 2018",
    "CAP-dppa": "Capsolar (solar vendor), capsolar.co.th, page direct-ppa-thailand-factory, 2026",
    "CAP-egat": "Capsolar (solar vendor), capsolar.co.th, page egat-direct-power-purchase, 2026",
    "CAP-ft": "Capsolar (solar vendor), capsolar.co.th, pages what-is-ft and electricity-guide, 2026",
    "CAP-irec": "Capsolar (solar vendor), capsolar.co.th, page on I-REC, 2026",
    "CAP-nm": "Capsolar (solar vendor), capsolar.co.th, page net-metering-thailand, 2026",
    "CAP-tou": "Capsolar (solar vendor), capsolar.co.th, page tou-rate-schedule, 2026",
    "CHONLA": "Bank of Thailand holidays, as kept in chonla/thai-financial-instiutions-holiday, public GitHub code",
    "COMMONS-HOST": "S. Deckers, Commons Host, Udon Thani, dev.to, 15 October 2018: 12 ms round trip to Bangkok",
    "EGAT-2014": "EGAT news release, egat.co.th, southern peak and import from the centre, 2014",
    "EGAT-2016": "EGAT news releases, egat.co.th, 2016",
    "EQMAG": "EQ Mag Pro, eqmagpro.com, on MEA's rooftop buy-back",
    "ESS": "PChunark/electricitySubStation, public GitHub data (MIT licence): EGAT delivery points and VSPP list",
    "EXCITE-15435": "Thai news digest on excite.co.jp, Thainews_15435, 2024",
    "EXCITE-16734": "Thai news digest on excite.co.jp, Thainews_16734, 2025",
    "HOLIDAYS": "python-holidays (vacanza/holidays, MIT licence), Thailand calendar",
    "HUAHIN": "Hua Hin Today, huahintoday.com, on the Ft of September to December 2021 (ERC, NNT)",
    "HUNTON": "Hunton Andrews Kurth, hunton.com, on community solar (NEPC, 27 October 2025)",
    "LISTS": "Province lists with coordinates in several public code repositories, which agree",
    "LFE": "PChunark/load_forecast_EGAT_strategies, public GitHub book (MIT licence), tables of 2019",
    "MEA-111": "Metropolitan Electricity Authority, tariff page 109/111 (residential)",
    "MEA-114": "Metropolitan Electricity Authority, tariff page 109/114 (large general service)",
    "MEA-258": "Metropolitan Electricity Authority, tariff page 109/258 (specific business service)",
    "MEA-259": "Metropolitan Electricity Authority, tariff page 109/259 (non-profit organisations)",
    "MEA-261": "Metropolitan Electricity Authority, tariff page 109/261 (temporary), November 2015",
    "MOICAP": "Moi Cap Nhap, th.moicapnhap.com, on the Ft of May to August 2022",
    "MaMo": "NutkungZz/MaMo, js/config.js, public GitHub code",
    "NISHIMURA": "Nishimura & Asahi newsletter of 31 January 2025 on UGT1",
    "PATTAYA-403218": "Pattaya Mail, article 403218, on public EV charging, August 2022",
    "PATTAYA-458957": "Pattaya Mail, article 458957, on the peak of April 2024",
    "PATTAYAONE": "Pattaya One, pattayaone.news, on the Ft of May to August 2023",
    "PEA-2023-01": "Provincial Electricity Authority news of January 2023 (ERC meeting 51/2565), article 152460",
    "PEAC": "PEA Electricity Controller, public GitHub code",
    "PHUKET": "The Phuket News, articles 84270 and 84657, on the 500 kV line to the south, 2022",
    "PNT": "Critical-Infrastructure-Systems-Lab/PowNet-Thailand, public GitHub data (MIT licence), 2016 network",
    "PV-MAG": "pv magazine, 13 November 2025, on community solar",
    "PWC": "PwC tax summary of Thailand, value added tax",
    "RECCESSARY": "Reccessary, reccessary.com, Thai market page, on the Ft of January to April 2024",
    "SCRIBD-337580986": "Document 337580986 on scribd.com, on the territories of MEA and PEA",
    "SECONDARY": "A secondary source that the compilation does not name",
    "SPINE": "paperexplained.cn, abstract on the emission factor of the Thai grid 2001 to 2006",
    "TCIJ": "TCIJ, tcijthai.com, article 6294 on the peaks of 2016",
    "BARROW": "Richard Barrow, richardbarrow.com, on the peaks of April 2016",
    "TGO-NAT": "The Nation (Thailand), policy article 40059019 on TGO's grid emission factor, December 2025",
    "TNA-14216": "Thai news agency of Japan, thai.news-agency.jp, article 14216, 2023",
    "TNA-15257": "Thai news agency of Japan, thai.news-agency.jp, article 15257, 2023",
    "TNA-15431": "Thai news agency of Japan, thai.news-agency.jp, article 15431, 2024",
    "TZ": "transition-zero/ecf-steel-cfe, ASEAN stock model, public GitHub data",
    "WISEBK": "Wise BK, wisebk.com, ASEAN news 218320, on the tariff of January to April 2023",
    "BKPC": "Copy of a Bangkok Post article on the Ft of September to December 2022 (d33gy59ovltp76.cloudfront.net)",
    "LANGEASY": "langeasy.com, table of mean temperatures of Bangkok, rounded to the degree",
    "LIQ-CNX": "liquisearch.com, climate of Chiang Mai 1961 to 1990, naming the Thai Meteorological Department",
    "LIQ-HKT": "liquisearch.com, climate of Phuket 1961 to 1990, naming the Thai Meteorological Department",
    "LIQ-USM": "liquisearch.com, climate of Ko Samui, naming the World Weather Information Service",
    "METOFFICE": "Met Office (United Kingdom), metoffice.gov.uk, climate of Bangkok",
    "PVLIB-MAPS": "pvlib python 0.16 (BSD licence), its maps of altitude and of Linke turbidity",
    "REMUND": "Remund et al., Worldwide Linke turbidity information, ISES Solar World Congress, Gothenburg, 2003",
    "TRAVELSETU": "travelsetu.com, mean temperatures of Khon Kaen, rounded to the degree",
    "W2V": "weather2visit.com, climate of Tha Muang, Kanchanaburi",
    "derived": "Computed from other rows of the sources named beside it",
    "gridlab": "Made for this project; not a published number",
    "unverified": "General knowledge, not verified against a source",
}

_SERIES = {
    "NAT-": "The Nation (Thailand), nationthailand.com, article {}",
    "BKP-": "Bangkok Post, bangkokpost.com, article {}",
}


def resolve(cell: str) -> dict[str, str]:
    """Return the full names of the keys in one cell of a `source` column, which are separated by semicolons.

    Raises
    ------
    KeyError
        A key is neither in `SOURCES` nor a numbered article of a newspaper.
    """
    found: dict[str, str] = {}
    for key in cell.split("; "):
        for prefix, name in _SERIES.items():
            if key.startswith(prefix):
                found[key] = name.format(key.removeprefix(prefix))
        if key not in found:
            found[key] = SOURCES[key]
    return found
